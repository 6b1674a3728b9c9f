import { appendFile, chmod, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { flip, GzipStore, only } from "./support/gzip-store.ts";
import { drivers, treeOf } from "./support/store.ts";

let gzip: GzipStore;

const damages: readonly [what: string, says: string, damage: () => Promise<void>][] = [
  ["content, at the same size", "/etc/conf: content", async () => flip(await gzip.unpacked(0, "etc/conf"))],
  ["a longer file", "/etc/conf: size", async () => appendFile(await gzip.unpacked(0, "etc/conf"), "!")],
  ["an empty file, as after a power cut", "size", async () => truncate(await gzip.unpacked(0, "etc/old"))],
  ["a mode", "/etc/old: mode 0600, 0644", async () => chmod(await gzip.unpacked(0, "etc/old"), 0o600)],
  ["a time", "/etc/old: mtime", async () => utimes(await gzip.unpacked(0, "etc/old"), 1, 1)],
  ["a missing file", "/etc/old: only in the second", async () => rm(await gzip.unpacked(0, "etc/old"))],
  [
    "a file too many",
    "/etc/new: only in the first",
    async () => writeFile(await gzip.unpacked(0, "etc/new"), ""),
  ],
];

// One after the other in one store: each must leave it as it was.
describe.each(drivers)("check under %s", (driver) => {
  beforeAll(async () => {
    gzip = await GzipStore.make(driver);
  });

  afterAll(async () => {
    await gzip[Symbol.asyncDispose]();
  });

  it("finds nothing wrong with a good store", async () => {
    const { store } = gzip.opened;
    expect(await store.check()).toEqual([]);
    expect(await store.check({ quick: true })).toEqual([]);
    expect(await store.gc()).toEqual({ removed: 0, bytes: 0 });
  });

  it.each(damages)("finds %s in a layer, and repairs it", async (_, says, damage) => {
    const { store } = gzip.opened;
    const before = await readFile(await gzip.unpacked(0, "etc/conf"), "utf8");
    await damage();
    const { subject, message } = await only(store.check());
    expect(subject).toBe(`layer ${gzip.chainOf(0)}`);
    expect(message).toContain("layer of base:1");
    expect(message).toContain(says);

    expect(await store.repair()).toEqual([]);
    expect(await store.check()).toEqual([]);
    expect(await readFile(await gzip.unpacked(0, "etc/conf"), "utf8")).toBe(before);
    expect(await treeOf(gzip.opened, "base:1")).toEqual(gzip.tree);
    expect(await store.gc()).toMatchObject({ removed: 0 });
  });
});
