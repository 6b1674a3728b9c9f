import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { StoreProcess } from "./support/child.ts";
import { hex, imageOf } from "./support/image.ts";
import { inPieces, Remote } from "./support/remote.ts";
import { allDrivers, openStore, Scratch, treeOf } from "./support/store.ts";
import { unowned } from "./support/unowned.ts";

const reference = "registry.test/sample:1";
const files = [
  { base: randomBytes(100_000).toString("hex") },
  { upper: randomBytes(40_000).toString("hex") },
];
const tree = Object.assign({}, ...files);

const askedIn = (log: string): string[] => readFileSync(log, "utf8").trimEnd().split("\n");

it.each(allDrivers)(
  "a download whose process is killed goes on from the byte that it reached, under %s",
  async (driver) => {
    await using scratch = await Scratch.make(driver);
    await using opened = await openStore(scratch.join("store"), driver);
    const remote = new Remote(await imageOf(files));
    const directory = scratch.join("remote");
    await remote.write(directory);
    const partial = join(opened.root, "downloads", hex(remote.layers[0] ?? ""));
    const log = scratch.join("log");
    const spec = { directory, references: [reference], log, slowly: true };
    let reached = 0;
    for (let kill = 0; kill < 3; kill += 1) {
      const child = await StoreProcess.start(opened.root, driver, ["receive", spec]);
      await expect
        .poll(() => existsSync(partial) && statSync(partial).size, { timeout: 20_000, interval: 5 })
        .toBeGreaterThan(reached + 10_000);
      await child.endAfter(0);
      expect(child.wasKilled).toBe(true);
      reached = statSync(partial).size;
      expect(await opened.store.check()).toEqual([]);
    }
    const before = askedIn(log).length;
    const child = await StoreProcess.start(opened.root, driver, ["receive", { ...spec, slowly: false }]);
    expect(await child.end()).toBe(0);
    const asked = askedIn(log).slice(before);
    expect(asked).toContain(`${remote.layers[0]} ${reached}`);
    expect(await treeOf(opened, reference)).toEqual(tree);
    expect(await opened.store.check()).toEqual([]);
    await opened.store.gc();
    expect(await unowned(opened)).toEqual([]);
  },
  60_000,
);

it.each(allDrivers)(
  "several that want the same download it once, under %s",
  async (driver) => {
    await using scratch = await Scratch.make(driver);
    await using opened = await openStore(scratch.join("store"), driver);
    await using second = await openStore(opened.root, driver);
    const remote = new Remote(await imageOf(files));
    const directory = scratch.join("remote");
    await remote.write(directory);
    const log = scratch.join("log");
    const spec = { directory, references: [reference], log, slowly: true };
    const children = await Promise.all(
      [1, 2].map(() => StoreProcess.start(opened.root, driver, ["receive", spec])),
    );
    const slow = remote.as([reference], async function* (...way) {
      for await (const piece of inPieces()(...way)) {
        yield piece;
        await setTimeout(2);
      }
    });
    const own = [opened, second].map(({ store }) => store.receive([slow]));
    for (const [received] of await Promise.all(own)) expect(received?.id).toBe(remote.image.id);
    expect(await Promise.all(children.map((child) => child.end()))).toEqual([0, 0]);
    const asked = [...askedIn(log), ...remote.asked.map(({ digest, from }) => `${digest} ${from}`)];
    for (const digest of remote.layers) {
      expect(asked.filter((line) => line === `${digest} 0`)).toHaveLength(1);
    }
    expect(await opened.store.images()).toHaveLength(1);
    expect(await treeOf(opened, reference)).toEqual(tree);
    expect(await opened.store.check()).toEqual([]);
    await opened.store.gc();
    expect(await unowned(opened)).toEqual([]);
  },
  60_000,
);
