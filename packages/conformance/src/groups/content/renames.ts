import assert from "node:assert/strict";
import { existsSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { errnoCode } from "@strata/core";
import { AT_FDCWD, RENAME_EXCHANGE, RENAME_NOREPLACE, renameat2 } from "@strata/linux";
import type { Behaviour } from "../../behaviour.ts";
import { Twin } from "../../trees/twin.ts";

/** overlayfs refuses to rename a directory that a lower layer has a part of; `mv` then copies. */
const otherDevice = ["EXDEV"];

const exchange = (one: string, other: string) => renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
const renameToFree = (from: string, to: string) => renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);

/** Names of a parent that are renamed. */
export const renames: readonly Behaviour[] = [
  {
    id: "rename-lower-file",
    title: "a file of the parent that was renamed is under its new name only",
    origin: "C",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const name of ["one", "two", "three"]) writeFileSync(`${at}/${name}`, name);
      });
      await twin.layer((at) => {
        renameSync(`${at}/one`, `${at}/uno`);
        // There and back again.
        renameSync(`${at}/two`, `${at}/due`);
        renameSync(`${at}/due`, `${at}/two`);
      });
      await twin.layer((at) => renameSync(`${at}/uno`, `${at}/one`));
    },
  },
  {
    id: "move-from-lower",
    title: "files and symlinks of the parent can be moved between its directories and new ones",
    origin: "C",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const name of ["from", "to"]) mkdirSync(`${at}/${name}`);
        for (const name of ["one", "two"]) writeFileSync(`${at}/from/${name}`, name);
        symlinkSync("one", `${at}/from/link`);
      });
      await twin.layer((at) => {
        mkdirSync(`${at}/new`);
        renameSync(`${at}/from/one`, `${at}/to/one`);
        renameSync(`${at}/from/two`, `${at}/new/two`);
        renameSync(`${at}/from/link`, `${at}/new/link`);
      });
      await twin.layer((at) => renameSync(`${at}/new/two`, `${at}/from/two`));
    },
  },
  {
    id: "rename-lower-dir-or-EXDEV",
    title: "a directory of the parent is renamed with all that is in it, or refused with EXDEV",
    origin: "C",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        mkdirSync(`${at}/dir/sub`, { recursive: true });
        for (const name of ["dir/one", "dir/two", "dir/sub/three"]) writeFileSync(`${at}/${name}`, "below");
      });
      await twin.layerUnlessRefused(otherDevice, (at) => renameSync(`${at}/dir`, `${at}/renamed`));
      const now = () => (existsSync(`${twin.plain}/renamed`) ? "renamed" : "dir");
      await twin.layer((at) => {
        rmSync(`${at}/${now()}/one`);
        writeFileSync(`${at}/${now()}/sub/four`, "above");
      });
      // Part of it is the parent's, part of it is not.
      await twin.layerUnlessRefused(otherDevice, (at) => renameSync(`${at}/${now()}`, `${at}/again`));
    },
  },
  {
    id: "rename-new-dir",
    title: "a directory made in the child is renamed, also to the name of one that was deleted",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        mkdirSync(`${at}/old/sub`, { recursive: true });
        writeFileSync(`${at}/old/sub/hidden`, "below");
      });
      await twin.layer((at) => {
        mkdirSync(`${at}/new/sub`, { recursive: true });
        writeFileSync(`${at}/new/sub/file`, "above");
        renameSync(`${at}/new`, `${at}/renamed`);
        rmSync(`${at}/old`, { recursive: true });
        renameSync(`${at}/renamed`, `${at}/old`);
      });
    },
  },
  {
    id: "rename-over-file",
    title: "a file renamed over another takes its place, whichever of the two is the parent's",
    origin: "C",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const name of ["one", "two", "three", "four"]) writeFileSync(`${at}/${name}`, name);
      });
      await twin.layer((at) => {
        renameSync(`${at}/one`, `${at}/two`);
        for (const name of ["new", "newer"]) writeFileSync(`${at}/${name}`, name);
        renameSync(`${at}/new`, `${at}/three`);
        renameSync(`${at}/four`, `${at}/newer`);
      });
    },
  },
  {
    id: "rename-over-directory",
    title: "a directory renamed over an empty one takes its place; over a full one it is refused",
    origin: "C",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const name of ["empty", "emptied", "full"]) mkdirSync(`${at}/${name}`);
        for (const name of ["emptied", "full"]) writeFileSync(`${at}/${name}/below`, "below");
      });
      await twin.layer((at) => {
        rmSync(`${at}/emptied/below`);
        for (const name of ["empty", "emptied"]) {
          mkdirSync(`${at}/new`);
          writeFileSync(`${at}/new/above`, "above");
          renameSync(`${at}/new`, `${at}/${name}`);
        }
        mkdirSync(`${at}/new`);
        assert.throws(
          () => renameSync(`${at}/new`, `${at}/full`),
          (error) => ["ENOTEMPTY", "EEXIST"].includes(errnoCode(error) ?? ""),
        );
      });
    },
  },
  {
    id: "rename-over-symlink",
    title: "a file renamed over a symlink replaces the link, and what it points to stays",
    origin: "C",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const name of ["one", "target"]) writeFileSync(`${at}/${name}`, name);
        for (const name of ["link", "other"]) symlinkSync("target", `${at}/${name}`);
      });
      await twin.layer((at) => {
        renameSync(`${at}/one`, `${at}/link`);
        symlinkSync("elsewhere", `${at}/new`);
        renameSync(`${at}/new`, `${at}/other`);
        assert.equal(readlinkSync(`${at}/other`), "elsewhere");
      });
    },
  },
  {
    id: "rename-exchange",
    title: "files and symlinks of the parent and new ones change places (RENAME_EXCHANGE), or it is refused",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      const kinds = ["EINVAL", ...otherDevice];
      await twin.layer((at) => {
        for (const name of ["one", "two", "three"]) writeFileSync(`${at}/${name}`, name);
        symlinkSync("one", `${at}/link`);
        mkdirSync(`${at}/dir`);
        writeFileSync(`${at}/dir/file`, "below");
      });
      await twin.layerUnlessRefused(kinds, (at) => exchange(`${at}/one`, `${at}/two`));
      await twin.layerUnlessRefused(kinds, (at) => exchange(`${at}/three`, `${at}/link`));
      await twin.layerUnlessRefused(kinds, (at) => exchange(`${at}/dir`, `${at}/one`));
      await twin.layer((at) => writeFileSync(`${at}/new`, "above"));
      await twin.layerUnlessRefused(kinds, (at) => exchange(`${at}/new`, `${at}/two`));
    },
  },
  {
    id: "rename-noreplace",
    title:
      "a rename that must not replace (RENAME_NOREPLACE) is refused for a name that is there, and only then",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const name of ["one", "two", "gone"]) writeFileSync(`${at}/${name}`, name);
      });
      await twin.layer((at) => {
        writeFileSync(`${at}/new`, "above");
        for (const from of ["one", "new"]) {
          assert.throws(() => renameToFree(`${at}/${from}`, `${at}/two`), { code: "EEXIST" });
        }
        rmSync(`${at}/gone`);
        renameToFree(`${at}/one`, `${at}/gone`);
        renameToFree(`${at}/new`, `${at}/free`);
      });
    },
  },
];
