import assert from "node:assert/strict";
import {
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { errnoCode } from "@strata/core";
import { AT_FDCWD, symlinkat } from "@strata/linux";
import type { Behaviour } from "../../behaviour.ts";
import { Twin } from "../../trees/twin.ts";

const targets = {
  relative: "dir/file",
  upwards: "../../../../etc/passwd",
  absolute: "/etc/passwd",
  dangling: "nowhere/at/all",
  itself: "itself",
  directory: "dir",
  odd: " a\nb\\ ",
};

/** The longest that Linux takes, and the longest that xfs does. */
const longTargets = [4095, 1023];

/** Symlinks; none may be followed when trees are kept. */
export const symlinks: readonly Behaviour[] = [
  {
    id: "symlinks-kept",
    title: "symlinks keep their targets as written: absolute, upwards, dangling, to themselves",
    origin: "A",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        mkdirSync(`${at}/dir`);
        writeFileSync(`${at}/dir/file`, "below");
        for (const [name, target] of Object.entries(targets)) symlinkSync(target, `${at}/${name}`);
        symlinkat(Buffer.from([0xff, 0x2f, 0x80]), AT_FDCWD, `${at}/not-utf-8`);
      });
      await twin.layer((at) => {
        rmSync(`${at}/relative`);
        symlinkSync("dir/other", `${at}/relative`);
        renameSync(`${at}/dangling`, `${at}/dir/dangling`);
      });
    },
  },
  {
    id: "long-symlink",
    title: "a symlink as long as the file system takes is kept, and can be renamed in the child",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      const longest = longTargets.find((length) => {
        try {
          symlinkSync("x".repeat(length), trial.path("longest"));
          return true;
        } catch (error) {
          if (errnoCode(error) !== "ENAMETOOLONG") throw error;
          return false;
        }
      });
      assert(longest !== undefined, "the file system takes no long symlinks");
      await twin.layer((at) => symlinkSync("x".repeat(longest), `${at}/long`));
      await twin.layer((at) => {
        renameSync(`${at}/long`, `${at}/renamed`);
        assert.equal(readlinkSync(`${at}/renamed`).length, longest);
        symlinkSync("y".repeat(longest), `${at}/new`);
      });
    },
  },
  {
    id: "symlink-metadata",
    title: "owner and time of a symlink are its own, and change without its target's",
    origin: "N",
    needs: ["ownership"],
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        writeFileSync(`${at}/target`, "below");
        for (const name of ["link", "other"]) symlinkSync("target", `${at}/${name}`);
        lchownSync(`${at}/link`, 1000, 50);
        lutimesSync(`${at}/link`, 1_400_000_000, 1_400_000_000);
      });
      await twin.layer((at) => {
        lchownSync(`${at}/other`, 1001, 51);
        lutimesSync(`${at}/other`, 1_300_000_000, 1_300_000_000);
        assert.equal(lstatSync(`${at}/target`).uid, process.getuid?.());
      });
    },
  },
  {
    id: "write-through-symlink",
    title: "what is written through a symlink of the parent changes its target, and the link stays one",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        mkdirSync(`${at}/dir`);
        writeFileSync(`${at}/dir/file`, "below");
        symlinkSync("dir", `${at}/to-dir`);
        symlinkSync("dir/file", `${at}/to-file`);
        symlinkSync("dir/made", `${at}/to-nothing`);
      });
      await twin.layer((at) => {
        writeFileSync(`${at}/to-file`, "above");
        writeFileSync(`${at}/to-dir/new`, "above");
        writeFileSync(`${at}/to-nothing`, "above");
      });
    },
  },
];
