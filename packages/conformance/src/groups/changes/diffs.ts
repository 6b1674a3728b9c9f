import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, linkSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import type { Behaviour } from "../../behaviour.ts";
import { listNames, listTar } from "../../tar/list.ts";
import { listChanges, readDiff } from "../../trees/diffs.ts";
import { Layers } from "../../trees/layers.ts";
import { sameTree } from "../../trees/twin.ts";
import type { Edit, Trial } from "../../trial.ts";
import { changeAllKinds, commitPair, commitSettled, makeBase, makeChain } from "./scenario.ts";

/** What changed, as an archive. */
export const diffs: readonly Behaviour[] = [
  {
    id: "diff-apply-roundtrip",
    title: "the diffs of a chain, applied one on the other, give equal trees with the same diffs",
    origin: "MSA",
    async run(trial) {
      await commitPair(trial, makeBase, changeAllKinds);
      await using layers = new Layers(trial);
      let parent: string | undefined;
      for (const name of ["base", "top"]) {
        const diff = await diffOf(trial, name);
        const copy = `${name}-applied`;
        await layers.commit(copy, diff, parent);
        parent = copy;
        await trial.look(name, (a) => trial.look(copy, (b) => sameTree(a, b)));
        assert((await diffOf(trial, copy)).equals(diff), `the diff of ${copy} is another`);
      }
    },
  },
  {
    id: "diff-of-one-layer",
    title: "in a chain of four, the diff of each holds what it changed itself, not what those below it did",
    origin: "N",
    async run(trial) {
      await makeChain(trial);
      const names = async (id: string) => listNames(await diffOf(trial, id));
      assert.deepEqual(await names("second"), ["./", ".wh.gone", "added", "edited", "passing"]);
      assert.deepEqual(await names("third"), ["./", ".wh.passing", "dir/", "dir/g", "gone", "late"]);
      assert.deepEqual(await names("fourth"), ["./", "dir/", "dir/.wh.g", "edited"]);
    },
  },
  {
    id: "size-agrees",
    title: "a diff holds the bytes that were added, each file once, and apply counts the same",
    origin: "MS",
    async run(trial) {
      const large = randomBytes(300_000);
      await commitPair(trial, makeBase, (at) => {
        writeFileSync(`${at}/large`, large);
        linkSync(`${at}/large`, `${at}/large-too`);
        writeFileSync(`${at}/appended`, "12345");
        rmSync(`${at}/gone`);
      });
      const diff = await diffOf(trial, "top");
      const entries = listTar(diff);
      assert.deepEqual(
        entries.map(({ path, size }) => [path, size]),
        [
          ["./", 0],
          [".wh.gone", 0],
          ["appended", 5],
          ["large", 300_000],
          ["large-too", 0],
        ],
      );
      assert(entries.find(({ path }) => path === "large")?.content.equals(large));
      await using layers = new Layers(trial);
      const applied = await layers.commit("applied", diff, "base");
      assert.equal(applied.contentBytes, 300_005);
      assert.equal(applied.entries, entries.length);
      const { bytes } = await trial.driver.usage("applied");
      assert(bytes >= 300_000, `usage tells ${bytes} bytes of a layer that holds 300,005`);
    },
  },
  {
    id: "empty-diff",
    title: "where nothing changed there are no changes, and the archive has no entry",
    origin: "AU",
    async run(trial) {
      await commitPair(trial, makeBase, () => {});
      assert.deepEqual(await listChanges((await trial.driver.open("top")).layout()), []);
      assert((await diffOf(trial, "top")).equals(Buffer.alloc(1024)), "an archive of two blocks of zeros");
    },
  },
  {
    id: "parents-included",
    title: "the directories above a change are in the diff, as they are",
    origin: "A",
    async run(trial) {
      await commitPair(trial, makeDeep, (at) => writeFileSync(`${at}/p/q/f`, "changed"));
      const entries = listTar(await diffOf(trial, "top"));
      assert.deepEqual(
        entries.map(({ path, mode, mtime }) => [path, mode, mtime]),
        [
          ["p/", 0o711, "1000"],
          ["p/q/", 0o1777, "2000"],
          ["p/q/f", 0o644, "1600000001.123456789"],
        ],
      );
    },
  },
  {
    id: "hardlink-parents",
    title: "a new name of a file brings its other names into the diff, and the directories above all of them",
    origin: "A",
    async run(trial) {
      await commitPair(
        trial,
        (at) => {
          makeDeep(at);
          mkdirSync(`${at}/other`);
          mkdirSync(`${at}/other/inner`);
        },
        (at) => linkSync(`${at}/p/q/f`, `${at}/other/inner/g`),
      );
      assert.deepEqual(listNames(await diffOf(trial, "top")), [
        "other/",
        "other/inner/",
        "other/inner/g",
        "p/",
        "p/q/",
        "p/q/f = other/inner/g",
      ]);
    },
  },
  {
    id: "whiteout-parents",
    title: "the directories above a deletion are in the diff, and applied elsewhere they stay as they are",
    origin: "A",
    async run(trial) {
      await commitPair(trial, makeDeep, (at) => {
        rmSync(`${at}/p/q/f`);
        utimesSync(`${at}/p/q`, 3000, 3000);
      });
      const diff = await diffOf(trial, "top");
      assert.deepEqual(
        listTar(diff).map(({ path, mode, mtime }) => [path, mode, mtime]),
        [
          ["p/", 0o711, "1000"],
          ["p/q/", 0o1777, "3000"],
          ["p/q/.wh.f", 0, "0"],
        ],
      );
      await appliesEqual(trial, diff);
    },
  },
  {
    id: "no-redundant-whiteouts",
    title:
      "a deletion is one whiteout: none for what was in it, for what stands there now, or never was below",
    origin: "A",
    async run(trial) {
      await commitPair(trial, makeBase, (at) => {
        rmSync(`${at}/nested`, { recursive: true });
        rmSync(`${at}/gone`);
        writeFileSync(`${at}/gone`, "there again");
        rmSync(`${at}/dir-to-file`, { recursive: true });
        writeFileSync(`${at}/dir-to-file`, "a file");
        rmSync(`${at}/recreated`, { recursive: true });
        mkdirSync(`${at}/recreated`);
        mkdirSync(`${at}/temporary`);
        writeFileSync(`${at}/temporary/f`, "");
        rmSync(`${at}/temporary`, { recursive: true });
      });
      const whiteouts = listNames(await diffOf(trial, "top")).filter((name) => name.includes(".wh."));
      assert.deepEqual(whiteouts, [".wh.nested", "recreated/.wh.old"]);
      await appliesEqual(trial, await diffOf(trial, "top"));
    },
  },
  {
    id: "explicit-whiteouts-first",
    title: "in each directory the whiteouts come first, one a name deleted, all sorted",
    origin: "N",
    async run(trial) {
      const base: Edit = (at) => {
        for (const name of ["d", "gone-dir"]) mkdirSync(`${at}/${name}`);
        for (const name of ["b", "d/m", "d/x", "d/z", "gone-dir/f"]) writeFileSync(`${at}/${name}`, name);
      };
      await commitPair(trial, base, (at) => {
        for (const name of ["b", "d/m", "d/z", "gone-dir"]) rmSync(`${at}/${name}`, { recursive: true });
        for (const name of ["a", "c", "d/a", "d/x"]) writeFileSync(`${at}/${name}`, "new");
      });
      assert.deepEqual(listNames(await diffOf(trial, "top")), [
        "./",
        ".wh.b",
        ".wh.gone-dir",
        "a",
        "c",
        "d/",
        "d/.wh.m",
        "d/.wh.z",
        "d/a",
        "d/x",
      ]);
    },
  },
  {
    id: "twice-identical",
    title: "a diff is the same bytes each time, whatever order names were made in",
    origin: "A",
    async run(trial) {
      const names = Array.from({ length: 200 }, (_, index) => `f${(index * 7919) % 1000}`);
      const write = (at: string, name: string) => writeFileSync(`${at}/${name}`, name);
      await commitSettled(trial, "one", (at) => {
        for (const name of names) write(at, name);
      });
      await commitSettled(trial, "other", (at) => {
        for (const name of names.toReversed()) write(at, name);
      });
      const diff = await diffOf(trial, "one");
      assert.equal(listTar(diff).length, 201);
      assert((await diffOf(trial, "one")).equals(diff), "the second diff differs from the first");
      assert((await diffOf(trial, "other")).equals(diff), "the diff depends on the order of what was done");
    },
  },
];

/** `p/q/f`, with modes and times of its own. */
function makeDeep(at: string): void {
  mkdirSync(`${at}/p`);
  mkdirSync(`${at}/p/q`);
  writeFileSync(`${at}/p/q/f`, "deep");
  chmodSync(`${at}/p`, 0o711);
  chmodSync(`${at}/p/q`, 0o1777);
  utimesSync(`${at}/p/q`, 2000, 2000);
  utimesSync(`${at}/p`, 1000, 1000);
}

async function diffOf(trial: Trial, id: string): Promise<Buffer> {
  return await readDiff((await trial.driver.open(id)).layout());
}

/** That a diff of `top`, applied to `base`, gives the tree of `top`. */
async function appliesEqual(trial: Trial, diff: Buffer): Promise<void> {
  await using layers = new Layers(trial);
  await layers.commit("applied", diff, "base");
  await trial.look("top", (top) => trial.look("applied", (applied) => sameTree(top, applied)));
}
