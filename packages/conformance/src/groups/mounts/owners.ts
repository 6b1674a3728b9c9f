import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { MountedFileSystem } from "../../host/mounted-file-system.ts";
import { dir, file } from "../../tar/entries.ts";
import { Layers } from "../../trees/layers.ts";

/** Owners of files, and file systems that do not keep everything. */
export const owners: readonly Behaviour[] = [
  {
    id: "owners-of-parents",
    title: "a change deep in the tree leaves owners and modes of the directories above it as they were",
    origin: "S",
    needs: ["ownership"],
    async run(trial) {
      const directories = ["", "/a", "/a/b", "/a/b/c"];
      await trial.commit("base", (at) => {
        for (const [n, path] of directories.entries()) {
          if (path !== "") mkdirSync(at + path);
          chownSync(at + path, 100 + n, 200 + n);
          chmodSync(at + path, 0o2750 | n);
        }
        writeFileSync(`${at}/a/b/c/file`, "base");
        chownSync(`${at}/a/b/c/file`, 12, 34);
      });
      await trial.commit(
        "child",
        (at) => {
          writeFileSync(`${at}/a/b/c/file`, "changed");
          writeFileSync(`${at}/a/b/c/new`, "new");
        },
        "base",
      );
      await trial.look("child", (at) => {
        for (const [n, path] of directories.entries()) {
          const { mode, uid, gid } = statSync(at + path);
          assert.deepEqual([mode & 0o7777, uid, gid], [0o2750 | n, 100 + n, 200 + n], path);
        }
        const { uid, gid } = statSync(`${at}/a/b/c/file`);
        assert.deepEqual([uid, gid], [12, 34]);
      });
    },
  },
  {
    id: "ignore-chown-errors",
    title: "a layer of many owners can be applied without them: all of it is the caller's then",
    origin: "S",
    async run(trial) {
      await using layers = new Layers(trial);
      const entries = [
        dir("dir", { uid: 12, gid: 34 }),
        file("dir/file", "of another", { uid: 4_000_000, gid: 56 }),
        file("dir/own"),
      ];
      await layers.commit("base", entries, undefined, { ignoreOwnership: true });
      await trial.driver.prepare("child", "base");
      await trial.look("child", (at) => {
        for (const path of ["dir", "dir/file", "dir/own"]) {
          const { uid, gid } = statSync(`${at}/${path}`);
          assert.deepEqual([uid, gid], [process.geteuid?.(), process.getegid?.()], path);
        }
      });
    },
  },
  {
    id: "filesystem-without-xattrs",
    title:
      "on a file system without extended attributes a driver is refused with Unsupported, or says that it lacks them",
    origin: "M",
    needs: ["host:root", "state on disk"],
    async run(trial) {
      using mounted = MountedFileSystem.mount("ramfs", trial.directory("ramfs"));
      const opening = trial.reopen({ root: `${mounted.path}/root` });
      const opened = await opening.catch(() => undefined);
      if (opened === undefined) {
        await rejects(opening, "Unsupported");
        return;
      }
      assert.equal(opened.capabilities.xattrs.supported, false);
      const active = await opened.prepare("key");
      await trial.edit(active, (at) => writeFileSync(`${at}/file`, "kept"));
      await active.commit("base");
      const child = await opened.prepare("child", "base");
      await trial.edit(child, (at) => assert.equal(statSync(`${at}/file`).size, 4));
      await opened.close();
    },
  },
];
