import assert from "node:assert/strict";
import { lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { AT_FDCWD, mknodat, S_IFIFO } from "@strata/linux";
import type { Behaviour } from "../../behaviour.ts";
import { listChanges } from "../../trees/diffs.ts";
import { Twin } from "../../trees/twin.ts";

const remove = (path: string) => rmSync(path, { recursive: true });

/** Ways to make something at a path, by what it is. */
const makers: Readonly<Record<string, (path: string) => void>> = {
  file: (path) => writeFileSync(path, "content"),
  directory: (path) => {
    mkdirSync(path);
    writeFileSync(`${path}/below`, "content");
  },
  symlink: (path) => symlinkSync("nowhere", path),
  fifo: (path) => mknodat(AT_FDCWD, path, S_IFIFO | 0o600, { major: 0, minor: 0 }),
};

/** All pairs of different types, each with the name it is tried under. */
const pairs = Object.entries(makers).flatMap(([from, makeFrom]) =>
  Object.entries(makers).flatMap(([to, makeTo]) =>
    from === to ? [] : [{ name: `${from}-to-${to}`, makeFrom, makeTo }],
  ),
);

/** For each depth of 0 to 9, a file below that many directories; the topmost is named by the depth. */
const echoes = Array.from({ length: 10 }, (_, depth) => ({
  top: `${depth}`,
  directories: Array.from({ length: depth }, (_, n) => [depth, ..."abcdefghi".slice(0, n)].join("/")),
  file: [depth, ..."abcdefghi".slice(0, depth)].join("/"),
}));

/** Names that are deleted on top of a parent, and what comes in their place. */
export const deletions: readonly Behaviour[] = [
  {
    id: "delete-file",
    title: "a file that was deleted on top of its parent is gone",
    origin: "C",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        mkdirSync(`${at}/dir`);
        for (const name of ["gone", "kept", "dir/gone", "dir/kept"]) writeFileSync(`${at}/${name}`, name);
      });
      await twin.layer((at) => {
        for (const name of ["gone", "dir/gone"]) rmSync(`${at}/${name}`);
      });
      await twin.layer((at) => writeFileSync(`${at}/new`, "on top of the deletion"));
    },
  },
  {
    id: "delete-everything",
    title: "a tree whose every entry was deleted is empty, and takes new ones",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const [type, make] of Object.entries(makers)) make(`${at}/${type}`);
      });
      await twin.layer((at) => {
        for (const name of readdirSync(at)) remove(`${at}/${name}`);
      });
      await twin.layer((at) => makers["directory"]?.(`${at}/directory`));
    },
  },
  {
    id: "delete-dir-recreate-hides",
    title: "a directory that was deleted and made again shows nothing of the old one",
    origin: "C",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        mkdirSync(`${at}/dir/sub/deep`, { recursive: true });
        for (const name of ["one", "two", "sub/three", "sub/deep/four"])
          writeFileSync(`${at}/dir/${name}`, "old");
      });
      await twin.layer((at) => {
        remove(`${at}/dir`);
        mkdirSync(`${at}/dir/sub`, { recursive: true });
        writeFileSync(`${at}/dir/two`, "new");
      });
      // It goes on hiding when more is put into it.
      await twin.layer((at) => mkdirSync(`${at}/dir/sub/deep`));
    },
  },
  {
    id: "delete-recreate-in-third-layer",
    title: "what one layer deleted and the next made again is the new one",
    origin: "CS",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        mkdirSync(`${at}/dir/sub`, { recursive: true });
        for (const name of ["file", "dir/one", "dir/sub/two"]) writeFileSync(`${at}/${name}`, "old");
      });
      await twin.layer((at) => {
        for (const name of ["file", "dir"]) remove(`${at}/${name}`);
      });
      await twin.layer((at) => {
        mkdirSync(`${at}/dir/sub`, { recursive: true });
        for (const name of ["file", "dir/three"]) writeFileSync(`${at}/${name}`, "new");
      });
    },
  },
  {
    id: "echo-at-every-depth",
    title: "what is made, deleted and made again below 0 to 9 directories is there, gone and there",
    origin: "S",
    async run(trial) {
      const twin = new Twin(trial);
      const make = (at: string) => {
        for (const { directories, file } of echoes) {
          for (const directory of directories) mkdirSync(`${at}/${directory}`);
          writeFileSync(`${at}/${file}`, "echo");
        }
      };
      await twin.layer(make);
      const deleted = await twin.layer((at) => {
        for (const { top } of echoes) remove(`${at}/${top}`);
      });
      const again = await twin.layer(make);
      const changed = async (name: string) =>
        (await listChanges((await trial.driver.open(name)).layout())).filter((line) => line !== "C .");
      assert.deepEqual(
        await changed(deleted),
        echoes.map(({ top }) => `D ${top}`),
      );
      assert.deepEqual(
        await changed(again),
        echoes.flatMap(({ directories, file }) => [...directories, file].map((path) => `A ${path}`)),
      );
    },
  },
  {
    id: "replace-by-another-type",
    title: "a name takes another type in a child, whichever it had: file, directory, symlink, fifo",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const { name, makeFrom } of pairs) makeFrom(`${at}/${name}`);
      });
      await twin.layer((at) => {
        for (const { name, makeTo } of pairs) {
          remove(`${at}/${name}`);
          makeTo(`${at}/${name}`);
        }
      });
    },
  },
  {
    id: "replace-by-another-type-in-third-layer",
    title: "a name that one layer deleted takes another type in the next, and back in the one after",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      const from = (at: string) => {
        for (const { name, makeFrom } of pairs) makeFrom(`${at}/${name}`);
      };
      const gone = (at: string) => {
        for (const { name } of pairs) remove(`${at}/${name}`);
      };
      await twin.layer(from);
      await twin.layer(gone);
      await twin.layer((at) => {
        for (const { name, makeTo } of pairs) makeTo(`${at}/${name}`);
      });
      await twin.layer((at) => {
        gone(at);
        from(at);
      });
    },
  },
  {
    id: "delete-what-was-added",
    title: "what was made and deleted in one layer leaves no trace",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => mkdirSync(`${at}/dir`));
      const name = await twin.layer((at) => {
        const { mtimeMs } = lstatSync(`${at}/dir`);
        for (const [type, make] of Object.entries(makers)) make(`${at}/dir/${type}`);
        for (const type of Object.keys(makers)) remove(`${at}/dir/${type}`);
        assert.deepEqual(readdirSync(`${at}/dir`), []);
        assert.notEqual(lstatSync(`${at}/dir`).mtimeMs, mtimeMs);
      });
      assert.deepEqual(await listChanges((await trial.driver.open(name)).layout()), ["C .", "C dir"]);
    },
  },
];
