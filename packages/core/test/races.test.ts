import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { Child, type Line } from "./child.ts";
import { directoryDriver, litter, scratch } from "./scratch.ts";

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

test("same-key race: one wins each key", async () => {
  const root = scratch();
  const driver = await directoryDriver({ root });
  const keys = Array.from({ length: times }, (_, n) => ["prepare", `k${n}`]);
  const lines = await race(root, [keys, keys, keys]);
  for (let n = 0; n < times; n++) {
    const outcome = codes(lines)
      .map((list) => list[n])
      .sort();
    expect(outcome).toEqual(["AlreadyExists", "AlreadyExists", "done"]);
  }
  expect(litter(driver)).toEqual([]);
});

test("same-name commit race: one wins each name, the others stay active", async () => {
  const root = scratch();
  const driver = await directoryDriver({ root });
  const steps = ["x", "y", "z"].map((process) =>
    Array.from({ length: times }, (_, n) => ["commit", `${process}${n}`, `name${n}`]),
  );
  for (const process of ["x", "y", "z"]) {
    for (let n = 0; n < times; n++) {
      const active = await driver.prepare(`${process}${n}`);
      writeFileSync(join(active.layout().dir, "by"), process);
    }
  }
  const lines = await race(root, steps);
  for (let n = 0; n < times; n++) {
    const won = ["x", "y", "z"].filter((_, process) => codes(lines)[process]?.[n] === "done");
    expect(won).toHaveLength(1);
    const committed = await driver.open(`name${n}`);
    expect(readFileSync(join(committed.layout().dir, "by"), "utf8")).toBe(won[0]);
    for (const process of ["x", "y", "z"]) {
      if (process !== won[0]) expect((await driver.stat(`${process}${n}`)).kind).toBe("active");
    }
  }
  expect(litter(driver)).toEqual([]);
});

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

test("remove versus prepare: the parent goes or the child comes, never both", async () => {
  const root = scratch();
  const driver = await directoryDriver({ root });
  for (let n = 0; n < times; n++) await (await driver.prepare(`k${n}`)).commit(`base${n}`);
  const lines = await race(root, [
    Array.from({ length: times }, (_, n) => ["remove", `base${n}`]),
    Array.from({ length: times }, (_, n) => ["prepare", `child${n}`, `base${n}`]),
  ]);
  const [removed = [], prepared = []] = codes(lines);
  for (let n = 0; n < times; n++) {
    expect([`${removed[n]} ${prepared[n]}`]).toEqual([
      expect.stringMatching(/^(done NotFound|FailedPrecondition done)$/),
    ]);
  }
  expect(await driver.check()).toEqual([]);
  await driver.cleanup();
  expect(litter(driver)).toEqual([]);
});

test("gc versus prepare: what a living process is making is not touched", async () => {
  const root = scratch();
  const driver = await directoryDriver({ root });
  await (await driver.prepare("k")).commit("base");
  const lines = await race(root, [
    Array.from({ length: 30 }, (_, n) => ["prepare", `a${n}`, "base"]),
    Array.from({ length: 30 }, () => ["cleanup"]),
    Array.from({ length: 30 }, (_, n) => ["prepare", `b${n}`]),
  ]);
  expect(new Set(codes(lines).flat())).toEqual(new Set(["done"]));
  for (let n = 0; n < 30; n++) expect((await driver.stat(`a${n}`)).parent).toBe("base");
  expect(await driver.check()).toEqual([]);
  expect(litter(driver)).toEqual([]);
});

test("two cleanups at once reclaim each thing once", async () => {
  const root = scratch();
  const driver = await directoryDriver({ root });
  for (let n = 0; n < 40; n++) {
    const active = await driver.prepare(`k${n}`);
    writeFileSync(join(active.layout().dir, "file"), "content");
    await driver.remove(`k${n}`);
  }
  const other = await directoryDriver({ root });
  const reports = await Promise.all([driver.cleanup(), other.cleanup()]);
  expect(reports.reduce((sum, { removed }) => sum + removed, 0)).toBe(40);
  expect(litter(driver)).toEqual([]);
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
