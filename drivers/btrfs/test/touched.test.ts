import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { LayerLayout, StorageDriver } from "@strata/core";
import { btrfs } from "@strata/driver-btrfs";
import { changes } from "@strata/layer";
import {
  BTRFS_INODE_EXTREF,
  BTRFS_INODE_ITEM,
  btrfsSubvolCreate,
  btrfsTreeSearch,
  decodeInodeItem,
} from "@strata/linux";
import { expect, it } from "vitest";
import { Subvolume } from "../src/subvolume.ts";
import { describeOnBtrfs } from "./btrfs-on-loop.ts";
import { editAtRandom, kindsOfEdits, seeded } from "./random-edits.ts";

/** The paths that a layout says are touched. */
async function touchedIn(layout: LayerLayout): Promise<string[]> {
  if (layout.format !== "plain" || layout.touched === undefined) throw new Error("the driver does not tell");
  const paths: string[] = [];
  for await (const path of layout.touched()) paths.push(path.toString());
  return paths;
}

async function changesIn(layout: LayerLayout): Promise<string[]> {
  const found: string[] = [];
  for await (const { kind, path } of changes(layout)) found.push(`${kind} /${path}`);
  return found;
}

/** By comparing all of both trees. */
async function allChangesIn(layout: LayerLayout): Promise<string[]> {
  if (layout.format !== "plain" || layout.base === undefined)
    throw new Error("there is nothing to compare with");
  return changesIn({ format: "plain", dir: layout.dir, base: layout.base });
}

/** Those of `changes` that could not be found by looking where `touched` says, and listing the directories it names. */
function missedBy(touched: readonly string[], changes: readonly string[]): string[] {
  const listed = new Set(["", ...touched]); // The root always is.
  const reached = new Set([""]);
  for (const path of touched) {
    for (let at = path; at !== "."; at = dirname(at)) reached.add(at);
  }
  const added = new Set<string>();
  return changes.filter((change) => {
    const [kind = "", path = ""] = change.split(" /");
    const above = path.includes("/") ? dirname(path) : "";
    if (kind === "added") added.add(path);
    // All of what was added is looked at.
    if (kind === "added" && added.has(above)) return false;
    return kind === "modified" ? !reached.has(path) : !listed.has(above);
  });
}

async function committed(driver: StorageDriver, fill: (tree: string) => void): Promise<void> {
  const active = await driver.prepare("making");
  fill(active.layout().dir);
  await active.commit("base");
}

describeOnBtrfs("what was touched", (disk) => {
  const open = () => btrfs({ root: disk.scratch(), durability: "none" });

  it.each([1, 2, 3])("is all that changed, after thousands of random edits (seed %i)", async (seed) => {
    const random = seeded(seed);
    const driver = await open();
    const done = new Map<string, number>();
    await committed(driver, (tree) => editAtRandom(tree, 200, random));
    let parent = "base";
    for (let depth = 1; depth <= 8; depth += 1) {
      const child = await driver.prepare("child", parent);
      const layout = child.layout();
      // Every other time, edits follow at once: looking first would bring a new transaction.
      if (depth % 2 === 0) expect(await changesIn(layout)).toEqual([]);
      for (let round = 0; round < 4; round += 1) {
        for (const [kind, count] of editAtRandom(layout.dir, 60, random)) {
          done.set(kind, (done.get(kind) ?? 0) + count);
        }
        const all = await allChangesIn(layout);
        expect(missedBy(await touchedIn(layout), all), `depth ${depth}, round ${round}`).toEqual([]);
        expect(await changesIn(layout), `depth ${depth}, round ${round}`).toEqual(all);
      }
      parent = `layer-${depth}`;
      await child.commit(parent);
      const layer = (await driver.open(parent)).layout();
      expect(await changesIn(layer)).toEqual(await allChangesIn(layer));
    }
    expect([...done.keys()].sort()).toEqual([...kindsOfEdits].sort());
  });

  it("costs what was touched, not what is there", async () => {
    const driver = await open();
    await committed(driver, (tree) => {
      for (let d = 0; d < 100; d += 1) {
        mkdirSync(join(tree, `${d}`));
        for (let n = 0; n < 200; n += 1) writeFileSync(join(tree, `${d}/${n}`), `${n}`);
      }
    });
    const { dir } = (await driver.prepare("child", "base")).layout();
    for (const name of ["3/77", "50/1", "99/199"]) appendFileSync(join(dir, name), "more");
    writeFileSync(join(dir, "20/new"), "");
    rmSync(join(dir, "21/5"));
    const child = await driver.open("child");
    const touched = await touchedIn(child.layout());
    expect(touched.sort()).toEqual(["20", "20/new", "21", "3/77", "50/1", "99/199"]);

    using tree = Subvolume.open(dir);
    const types = [BTRFS_INODE_ITEM, BTRFS_INODE_EXTREF] as const;
    const looked = (minTransid: bigint) =>
      [...btrfsTreeSearch(tree.fd, { tree: 0n, types, minTransid })].length;
    expect(looked(0n)).toBeGreaterThan(40_000);
    expect(looked(tree.info.madeIn + 1n)).toBeLessThan(2000);
  });

  it("is nothing of what the parent wrote just before, in the same transaction", async () => {
    const driver = await open();
    await committed(driver, (tree) => {
      for (let n = 0; n < 100; n += 1) writeFileSync(join(tree, `${n}`), `${n}`);
    });
    const child = await driver.prepare("child", "base");
    expect(await touchedIn(child.layout())).toEqual([]);
    // And all of what is written at once behind.
    writeFileSync(join(child.layout().dir, "5"), "!");
    expect(await touchedIn(child.layout())).toEqual(["5"]);
    expect(await touchedIn((await driver.view("view", "base")).layout())).toEqual([]);
  });

  it("is nothing that was only read, but what was read and changed", async () => {
    const driver = await open();
    await committed(driver, (tree) => {
      mkdirSync(join(tree, "directory"));
      for (let n = 0; n < 20; n += 1) writeFileSync(join(tree, `directory/${n}`), `${n}`);
    });
    await setTimeout(50); // What changed just before a snapshot counts as touched as soon as it is read.
    const layout = (await driver.prepare("child", "base")).layout();
    for (const name of readdirSync(join(layout.dir, "directory")))
      readFileSync(join(layout.dir, "directory", name));
    expect(await touchedIn(layout)).toEqual([]);
    using tree = Subvolume.open(layout.dir);
    const inodes = btrfsTreeSearch(tree.fd, { tree: 0n, types: [BTRFS_INODE_ITEM, BTRFS_INODE_ITEM] });
    // btrfs itself has taken note of the reads.
    const noted = [...inodes].map(decodeInodeItem).filter(({ changedIn }) => changedIn > tree.info.madeIn);
    expect(noted.length).toBeGreaterThanOrEqual(20);

    const { atime, mtime } = statSync(join(layout.dir, "directory/7"));
    writeFileSync(join(layout.dir, "directory/7"), "!");
    utimesSync(join(layout.dir, "directory/7"), atime, mtime);
    expect(await touchedIn(layout)).toEqual(["directory/7"]);
  });

  it("is each name of a file, and all that is in a directory that has moved", async () => {
    const driver = await open();
    await committed(driver, (tree) => {
      for (const name of ["a/deep", "b", "c"]) mkdirSync(join(tree, name), { recursive: true });
      for (const name of ["a/one", "a/deep/two", "b/three"]) writeFileSync(join(tree, name), name);
      linkSync(join(tree, "a/one"), join(tree, "c/link"));
    });
    const at = async (key: string) => (await driver.prepare(key, "base")).layout();
    const linked = await at("linked");
    chmodSync(join(linked.dir, "c/link"), 0o600);
    expect((await touchedIn(linked)).sort()).toEqual(["a/one", "c/link"]);

    const moved = await at("moved");
    rmSync(join(moved.dir, "b"), { recursive: true });
    renameSync(join(moved.dir, "a"), join(moved.dir, "b"));
    expect(new Set(await touchedIn(moved))).toEqual(new Set(["b", "b/one", "b/deep", "b/deep/two"]));
    expect(await changesIn(moved)).toEqual(await allChangesIn(moved));

    const unseen = await at("unseen");
    const { atime, mtime } = statSync(join(unseen.dir, "b/three"));
    writeFileSync(join(unseen.dir, "b/three"), "B/THREE");
    utimesSync(join(unseen.dir, "b/three"), atime, mtime);
    expect(await changesIn(unseen)).toEqual(["modified /b", "modified /b/three"]);
  });

  it("is all that is in a subvolume that somebody made in the tree", async () => {
    const driver = await open();
    await committed(driver, (tree) => mkdirSync(join(tree, "place/below"), { recursive: true }));
    const layout = (await driver.prepare("child", "base")).layout();
    rmSync(join(layout.dir, "place"), { recursive: true });
    using tree = Subvolume.open(layout.dir);
    btrfsSubvolCreate(tree.fd, "place");
    mkdirSync(join(layout.dir, "place/below"));
    writeFileSync(join(layout.dir, "place/below/file"), "");
    expect(await touchedIn(layout)).toEqual(
      expect.arrayContaining(["place", "place/below", "place/below/file"]),
    );
    expect(await changesIn(layout)).toEqual(await allChangesIn(layout));
  });
});
