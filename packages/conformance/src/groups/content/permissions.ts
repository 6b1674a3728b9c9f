import assert from "node:assert/strict";
import { chmodSync, chownSync, lchownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import type { Behaviour, Need } from "../../behaviour.ts";
import { Twin } from "../../trees/twin.ts";

const ownership: readonly Need[] = ["ownership"];

/** Modes worth a test: all bits one by one, and what programs have. */
const modes = [
  0o000, 0o001, 0o010, 0o100, 0o200, 0o400, 0o111, 0o644, 0o755, 0o777, 0o1777, 0o2755, 0o4755, 0o6711,
  0o7777,
];

const named = (mode: number) => mode.toString(8).padStart(4, "0");

/** Modes and owners. */
export const permissions: readonly Behaviour[] = [
  {
    id: "chmod",
    title: "modes of files and directories are kept and can be changed, all 12 bits of them",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const mode of modes) {
          writeFileSync(`${at}/file-${named(mode)}`, "content");
          chmodSync(`${at}/file-${named(mode)}`, mode);
          mkdirSync(`${at}/dir-${named(mode)}`);
          chmodSync(`${at}/dir-${named(mode)}`, mode);
        }
      });
      await twin.layer((at) => {
        for (const mode of modes) {
          chmodSync(`${at}/file-${named(mode)}`, mode ^ 0o7777);
          chmodSync(`${at}/dir-${named(mode)}`, mode ^ 0o7777);
        }
      });
    },
  },
  {
    id: "chmod-root",
    title: "the mode of the root can be changed, and its children inherit it",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => chmodSync(at, 0o2751));
      await twin.layer((at) => writeFileSync(`${at}/file`, ""));
      await twin.layer((at) => chmodSync(at, 0o700));
    },
  },
  {
    id: "mode-0000",
    title: "files and directories closed to everybody are kept, with what is in them",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        mkdirSync(`${at}/closed/too`, { recursive: true });
        mkdirSync(`${at}/empty`);
        for (const name of ["closed/file", "closed/too/file"]) {
          writeFileSync(`${at}/${name}`, "shadow");
          chmodSync(`${at}/${name}`, 0);
        }
        for (const name of ["closed/too", "closed", "empty"]) chmodSync(`${at}/${name}`, 0);
      });
      await twin.layer((at) => {
        writeFileSync(`${at}/closed/too/new`, "above");
        writeFileSync(`${at}/closed/file`, "changed");
      });
    },
  },
  {
    id: "chown-tree",
    title: "a tree of the parent that is given to others, entry by entry, is theirs",
    origin: "C",
    needs: ownership,
    async run(trial) {
      const twin = new Twin(trial);
      const entries = ["file", "dir", "dir/file", "dir/sub", "dir/sub/file", "link"];
      await twin.layer((at) => {
        mkdirSync(`${at}/dir/sub`, { recursive: true });
        for (const name of ["file", "dir/file", "dir/sub/file"]) writeFileSync(`${at}/${name}`, name);
        symlinkSync("file", `${at}/link`);
      });
      await twin.layer((at) => {
        entries.forEach((name, n) => {
          lchownSync(`${at}/${name}`, 1000 + n, 2000 + n);
        });
        chownSync(at, 1, 2);
      });
      // Beyond 16 and 31 bits.
      await twin.layer((at) => {
        lchownSync(`${at}/file`, 70_000, 4_000_000_000);
        lchownSync(`${at}/link`, 4_000_000_000, 70_000);
      });
    },
  },
  {
    id: "setuid-after-chown",
    title: "a change of owner takes setuid and setgid bits away, and those set after it are kept",
    origin: "U",
    needs: ownership,
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const [name, mode] of [
          ["setuid", 0o4755],
          ["setgid", 0o2755],
          ["both", 0o6755],
          ["cleared", 0o6755],
        ] as const) {
          writeFileSync(`${at}/${name}`, "#!/bin/sh");
          chownSync(`${at}/${name}`, 1000, 50);
          chmodSync(`${at}/${name}`, mode);
        }
      });
      await twin.layer((at) => {
        for (const name of ["setuid", "setgid", "both", "cleared"]) chownSync(`${at}/${name}`, 1001, 51);
        chmodSync(`${at}/both`, 0o6755);
        assert.equal(statSync(`${at}/cleared`).mode & 0o7777, 0o755);
      });
      await twin.layer((at) => writeFileSync(`${at}/both`, "#!/bin/bash"));
    },
  },
  {
    id: "dir-perms-on-commit",
    title:
      "owners and modes given to a directory and to what is in it in one layer are there after the commit",
    origin: "C",
    needs: ownership,
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        mkdirSync(`${at}/dir/sub`, { recursive: true });
        writeFileSync(`${at}/dir/file`, "below");
      });
      await twin.layer((at) => {
        chownSync(`${at}/dir`, 5, 6);
        chmodSync(`${at}/dir`, 0o2770);
        chmodSync(`${at}/dir/sub`, 0o700);
        mkdirSync(`${at}/dir/new`, { mode: 0o711 });
        chownSync(`${at}/dir/new`, 7, 8);
      });
    },
  },
  {
    id: "parent-perms-kept",
    title: "directories of the parent keep owner and mode when something is put into them or taken out",
    origin: "A",
    needs: ownership,
    async run(trial) {
      const twin = new Twin(trial);
      const directories = [
        ["private", 0o700],
        ["shared", 0o1777],
        ["group", 0o2775],
      ] as const;
      await twin.layer((at) => {
        for (const [name, mode] of directories) {
          mkdirSync(`${at}/${name}/sub`, { recursive: true });
          writeFileSync(`${at}/${name}/old`, "below");
          for (const path of [`${at}/${name}/sub`, `${at}/${name}`]) {
            chownSync(path, 1000, 50);
            chmodSync(path, mode);
          }
        }
      });
      await twin.layer((at) => {
        for (const [name] of directories) {
          writeFileSync(`${at}/${name}/new`, "above");
          writeFileSync(`${at}/${name}/sub/deep`, "above");
          writeFileSync(`${at}/${name}/old`, "changed");
        }
      });
    },
  },
  {
    id: "setgid-directory",
    title: "what is made in a setgid directory of the parent gets its group, and a sticky one stays sticky",
    origin: "N",
    needs: ownership,
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const [name, mode] of [
          ["setgid", 0o2775],
          ["sticky", 0o1777],
        ] as const) {
          mkdirSync(`${at}/${name}`);
          chownSync(`${at}/${name}`, 1000, 50);
          chmodSync(`${at}/${name}`, mode);
        }
      });
      await twin.layer((at) => {
        for (const name of ["setgid", "sticky"]) {
          mkdirSync(`${at}/${name}/dir`);
          writeFileSync(`${at}/${name}/dir/file`, "above");
        }
        assert.equal(statSync(`${at}/setgid/dir/file`).gid, 50);
      });
    },
  },
];
