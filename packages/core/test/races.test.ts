import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { Child, type Line } from "./child.ts";
import { directoryDriver, scratch } from "./scratch.ts";

/** Let several processes go at the same moment. */
async function race(root: string, steps: readonly (readonly (readonly unknown[])[])[]): Promise<Line[][]> {
  const children = steps.map((list) => new Child({ root, steps: [["go"], ...list] }));
  try {
    for (const child of children) await child.next();
    for (const child of children) child.go();
    const lines = await Promise.all(children.map((child) => child.rest()));
    return lines.map((list) => list.slice(1));
  } finally {
    for (const child of children) await child.kill();
  }
}

const codes = (lines: Line[][]) => lines.map((list) => list.map(({ code }) => code ?? "done"));
const times = 12;

test("a key and a name of one word: one wins", async () => {
  const root = scratch();
  const driver = await directoryDriver({ root });
  for (let n = 0; n < times; n++) await driver.prepare(`key${n}`);
  const lines = await race(root, [
    Array.from({ length: times }, (_, n) => ["prepare", `word${n}`]),
    Array.from({ length: times }, (_, n) => ["commit", `key${n}`, `word${n}`]),
  ]);
  const [prepared = [], committed = []] = codes(lines);
  for (let n = 0; n < times; n++) {
    expect([prepared[n], committed[n]].sort()).toEqual(["AlreadyExists", "done"]);
  }
});

test("mount versus remove: a mounted one stays", async () => {
  const root = scratch();
  const driver = await directoryDriver({ root });
  for (let n = 0; n < times; n++) await driver.prepare(`k${n}`);
  const lines = await race(root, [
    Array.from({ length: times }, (_, n) => ["mount", `k${n}`, { persistent: true }]),
    Array.from({ length: times }, (_, n) => ["remove", `k${n}`]),
  ]);
  const [mounted = [], removed = []] = codes(lines);
  for (let n = 0; n < times; n++) {
    expect([`${mounted[n]} ${removed[n]}`]).toEqual([expect.stringMatching(/^(done Busy|NotFound done)$/)]);
  }
});

test("labels versus cleanup: what is being written is left alone", async () => {
  const root = scratch();
  const driver = await directoryDriver({ root });
  await driver.prepare("key");
  const often = 100;
  const lines = await race(root, [
    Array.from({ length: often }, (_, n) => ["label", "key", { n: `${n}` }]),
    Array.from({ length: often }, () => ["cleanup"]),
  ]);
  expect(new Set(codes(lines).flat())).toEqual(new Set(["done"]));
  expect((await driver.stat("key")).labels).toEqual({ n: `${often - 1}` });
});

test("prepares of one driver run at the same time; only metadata is serialised", async () => {
  let inside = 0;
  let most = 0;
  const driver = await directoryDriver({
    duringCreate: async () => {
      most = Math.max(most, ++inside);
      await setTimeout(20);
      inside--;
    },
  });
  await Promise.all(Array.from({ length: 8 }, (_, n) => driver.prepare(`k${n}`)));
  expect(most).toBe(8);
});
