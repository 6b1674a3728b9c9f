import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { Behaviour } from "../../behaviour.ts";

/** The kernel's names of files and directories stay what they are while these change. */
export const inodes: readonly Behaviour[] = [
  {
    id: "open-fd-inode-stable",
    title: "a file of the parent keeps its inode number when it is changed, by name and by open descriptor",
    origin: "N",
    async run(trial) {
      await trial.commit("base", (at) => {
        writeFileSync(`${at}/file`, "below");
        symlinkSync("file", `${at}/link`);
      });
      await trial.edit(await trial.driver.prepare("active", "base"), (at) => {
        const id = ({ dev, ino }: { dev: bigint; ino: bigint }) => `${dev}:${ino}`;
        const before = id(lstatSync(`${at}/file`, { bigint: true }));
        const link = id(lstatSync(`${at}/link`, { bigint: true }));
        const fd = openSync(`${at}/file`, "r");
        appendFileSync(`${at}/file`, " and above");
        chmodSync(`${at}/file`, 0o600);
        renameSync(`${at}/file`, `${at}/renamed`);
        renameSync(`${at}/link`, `${at}/renamed-link`);
        const opened = id(fstatSync(fd, { bigint: true }));
        closeSync(fd);
        assert.equal(opened, before, "by the descriptor that was open");
        assert.equal(id(lstatSync(`${at}/renamed`, { bigint: true })), before, "by name");
        assert.equal(id(lstatSync(`${at}/renamed-link`, { bigint: true })), link, "the symlink");
      });
    },
  },
  {
    id: "dir-inode-stable",
    title: "a directory of the parent keeps its inode number when something is put into it or it is changed",
    origin: "N",
    async run(trial) {
      await trial.commit("base", (at) => {
        mkdirSync(`${at}/dir/sub`, { recursive: true });
      });
      await trial.edit(await trial.driver.prepare("active", "base"), (at) => {
        const ids = () =>
          ["", "dir", "dir/sub"].map((name) => {
            const { dev, ino } = statSync(`${at}/${name}`, { bigint: true });
            return `${name} ${dev}:${ino}`;
          });
        const before = ids();
        writeFileSync(`${at}/dir/sub/new`, "above");
        chmodSync(`${at}/dir`, 0o700);
        assert.deepEqual(ids(), before);
      });
    },
  },
  {
    id: "inode-in-readdir",
    title: "what a directory lists as an entry's inode number is the entry's own",
    origin: "N",
    async run(trial) {
      await trial.commit("base", (at) => {
        mkdirSync(`${at}/dir/sub`, { recursive: true });
        for (const name of ["one", "two"]) writeFileSync(`${at}/dir/${name}`, name);
      });
      await trial.edit(await trial.driver.prepare("active", "base"), (at) => {
        writeFileSync(`${at}/dir/one`, "changed");
        writeFileSync(`${at}/dir/new`, "above");
        const listed = execFileSync("ls", ["-f", "-i", `${at}/dir`], { encoding: "utf8" });
        const expected = readdirSync(`${at}/dir`).map(
          (name) => `${lstatSync(`${at}/dir/${name}`).ino} ${name}`,
        );
        const found = listed
          .split("\n")
          .map((line) => line.trim())
          .filter((line) => !/^(\d+ \.{1,2})?$/.test(line));
        assert.deepEqual(found.sort(), expected.sort());
      });
    },
  },
  {
    id: "getcwd",
    title: "a process deep in the tree knows where it is while directories around it change",
    origin: "N",
    async run(trial) {
      await trial.commit("base", (at) => {
        mkdirSync(`${at}/a/b/c/d/e/f`, { recursive: true });
      });
      await trial.edit(await trial.driver.prepare("active", "base"), (at) => {
        const inside = (directory: string, script: string) =>
          execFileSync("sh", ["-ec", `${script}; exec /bin/pwd -P`], { cwd: `${at}/${directory}` })
            .toString()
            .trimEnd();
        const deep = "a/b/c/d/e/f";
        assert.equal(inside(deep, "touch new; chmod 700 ../../.; mkdir ../../x"), `${at}/${deep}`);
        assert.equal(inside(deep, "rm new; rmdir ../../x; touch ../../../y"), `${at}/${deep}`);
        // A directory of the child alone can be renamed under every driver.
        mkdirSync(`${at}/new/g/h`, { recursive: true });
        assert.equal(inside("new/g/h", `mv "${at}/new" "${at}/a/moved"`), `${at}/a/moved/g/h`);
      });
    },
  },
  {
    id: "removed-while-open",
    title: "a file that was removed or replaced can be read by whoever has it open",
    origin: "N",
    async run(trial) {
      await trial.commit("base", (at) => {
        for (const name of ["removed", "replaced"]) writeFileSync(`${at}/${name}`, "below");
      });
      await trial.edit(await trial.driver.prepare("active", "base"), (at) => {
        const fds = ["removed", "replaced"].map((name) => openSync(`${at}/${name}`, "r"));
        rmSync(`${at}/removed`);
        writeFileSync(`${at}/new`, "above");
        renameSync(`${at}/new`, `${at}/replaced`);
        const contents = fds.map((fd) => execFileSync("cat", { stdio: [fd, "pipe", "inherit"] }).toString());
        for (const fd of fds) closeSync(fd);
        assert.deepEqual(contents, ["below", "below"]);
      });
    },
  },
  {
    id: "programs-run",
    title: "a program in a mounted tree runs, one of the parent and one that was changed",
    origin: "N",
    async run(trial) {
      const program = (path: string, says: string) => {
        writeFileSync(path, `#!/bin/sh\necho ${says}\n`);
        chmodSync(path, 0o755);
      };
      await trial.commit("base", (at) => {
        program(`${at}/kept`, "kept");
        program(`${at}/changed`, "below");
      });
      await trial.edit(await trial.driver.prepare("active", "base"), (at) => {
        program(`${at}/changed`, "above");
        assert.equal(execFileSync(`${at}/kept`).toString(), "kept\n");
        assert.equal(execFileSync(`${at}/changed`).toString(), "above\n");
      });
      await trial.look("base", (at) => assert.equal(execFileSync(`${at}/changed`).toString(), "below\n"));
    },
  },
];
