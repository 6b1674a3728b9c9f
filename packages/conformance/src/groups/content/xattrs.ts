import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { errnoCode } from "@strata/core";
import { AT_FDCWD, getxattrat, removexattrat, setxattrat } from "@strata/linux";
import type { Behaviour } from "../../behaviour.ts";
import { Twin } from "../../trees/twin.ts";

const set = (path: string, name: string, value: string | Buffer) =>
  setxattrat(AT_FDCWD, path, name, Buffer.from(value));

/** The value of `system.posix_acl_*`, version 2 of include/uapi/linux/posix_acl_xattr.h. */
function acl(...entries: readonly (readonly [tag: number, permissions: number, id: number])[]): Buffer {
  const value = Buffer.alloc(4 + 8 * entries.length);
  value.writeUInt32LE(2);
  entries.forEach(([tag, permissions, id], n) => {
    value.writeUInt16LE(tag, 4 + 8 * n);
    value.writeUInt16LE(permissions, 6 + 8 * n);
    value.writeUInt32LE(id, 8 + 8 * n);
  });
  return value;
}

/** Owner rw, user `uid` r, group r, mask r, others none. */
const readableBy = (uid: number) => {
  const nobody = 0xffffffff;
  return acl([1, 6, nobody], [2, 4, uid], [4, 4, nobody], [16, 4, nobody], [32, 0, nobody]);
};

/** Version 2 with the root's id left out: cap_net_raw+ep, as setcap(8) writes it; and with bytes that are no text. */
const capabilities = [
  "0100000200200000000000000000000000000000",
  "01000002c0000000000000800000000000000000",
].map((hex) => Buffer.from(hex, "hex"));

/** Extended attributes. */
export const xattrs: readonly Behaviour[] = [
  {
    id: "user-xattrs",
    title: "extended attributes of files and directories are kept byte by byte, added, changed and removed",
    origin: "SAU",
    needs: ["xattrs"],
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        writeFileSync(`${at}/file`, "below");
        mkdirSync(`${at}/dir`);
        for (const name of ["file", "dir"]) {
          set(`${at}/${name}`, "user.text", "value");
          set(`${at}/${name}`, "user.bytes", Buffer.from([0, 255, 128, 10]));
          set(`${at}/${name}`, "user.empty", "");
          set(`${at}/${name}`, "user.removed", "below");
        }
        set(at, "user.root", "of the root");
      });
      await twin.layer((at) => {
        for (const name of ["file", "dir"]) {
          set(`${at}/${name}`, "user.text", "another value");
          set(`${at}/${name}`, "user.empty", "no more");
          set(`${at}/${name}`, "user.bytes", "");
          set(`${at}/${name}`, "user.added", "above");
          removexattrat(AT_FDCWD, `${at}/${name}`, "user.removed");
        }
      });
      await twin.layer((at) => set(`${at}/file`, "user.removed", "again"));
    },
  },
  {
    id: "user-xattrs-kept-on-change",
    title: "a file of the parent keeps its extended attributes when it is written, renamed or linked",
    origin: "N",
    needs: ["xattrs"],
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const name of ["written", "renamed", "linked", "closed"]) {
          writeFileSync(`${at}/${name}`, "below");
          set(`${at}/${name}`, "user.name", name);
        }
      });
      await twin.layer((at) => {
        writeFileSync(`${at}/written`, "above");
        renameSync(`${at}/renamed`, `${at}/new-name`);
        linkSync(`${at}/linked`, `${at}/other-name`);
        chmodSync(`${at}/closed`, 0);
      });
    },
  },
  {
    id: "large-xattr",
    title: "an extended attribute as large as the file system takes is kept, also when its file is changed",
    origin: "N",
    needs: ["xattrs"],
    async run(trial) {
      const twin = new Twin(trial);
      writeFileSync(trial.path("measure"), "");
      // The most of Linux, of btrfs, of a block of ext4; room is left for what a driver may note on a file.
      const size = [60_000, 15_000, 3000, 1000].find((length) => {
        try {
          set(trial.path("measure"), "user.large", Buffer.alloc(length));
          return true;
        } catch (error) {
          if (!["ENOSPC", "E2BIG", "ERANGE"].includes(errnoCode(error) ?? "")) throw error;
          return false;
        }
      });
      assert(size !== undefined, "the file system takes no large attributes");
      await twin.layer((at) => {
        writeFileSync(`${at}/file`, "below");
        set(`${at}/file`, "user.large", Buffer.alloc(size, "large"));
      });
      await twin.layer((at) => writeFileSync(`${at}/file`, "above"));
    },
  },
  {
    id: "many-xattrs",
    title: "many extended attributes with long names are kept on one file",
    origin: "N",
    needs: ["xattrs"],
    async run(trial) {
      const twin = new Twin(trial);
      const names = Array.from({ length: 40 }, (_, n) => `user.${"n".repeat(25)}${n}`);
      await twin.layer((at) => {
        writeFileSync(`${at}/file`, "below");
        for (const name of names) set(`${at}/file`, name, name.slice(-8));
        writeFileSync(`${at}/long`, "below");
        set(`${at}/long`, `user.${"x".repeat(250)}`, "the longest name");
      });
      await twin.layer((at) => {
        for (const name of names.slice(0, 20)) removexattrat(AT_FDCWD, `${at}/file`, name);
        chmodSync(`${at}/long`, 0o600);
      });
    },
  },
  {
    id: "posix-acls",
    title: "POSIX ACLs are kept, changed and removed, and the mode goes with them",
    origin: "N",
    needs: ["xattrs"],
    async run(trial) {
      const twin = new Twin(trial);
      const access = "system.posix_acl_access";
      await twin.layer((at) => {
        for (const name of ["file", "removed", "narrowed"]) {
          writeFileSync(`${at}/${name}`, "below");
          set(`${at}/${name}`, access, readableBy(1000));
        }
        mkdirSync(`${at}/dir`);
        set(`${at}/dir`, access, readableBy(1000));
      });
      await twin.layer((at) => {
        set(`${at}/file`, access, readableBy(70_000));
        removexattrat(AT_FDCWD, `${at}/removed`, access);
        // chmod(2) changes the mask of an ACL.
        chmodSync(`${at}/narrowed`, 0o600);
      });
    },
  },
  {
    id: "default-acl",
    title: "what is made in a directory of the parent with a default ACL inherits it",
    origin: "N",
    needs: ["xattrs"],
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        mkdirSync(`${at}/dir`);
        set(`${at}/dir`, "system.posix_acl_default", readableBy(1000));
      });
      await twin.layer((at) => {
        writeFileSync(`${at}/dir/file`, "above");
        mkdirSync(`${at}/dir/sub`);
        writeFileSync(`${at}/dir/sub/file`, "above");
        assert.equal(statSync(`${at}/dir/file`).mode & 0o777, 0o640);
        assert(getxattrat(AT_FDCWD, `${at}/dir/sub`, "system.posix_acl_default") !== undefined);
      });
    },
  },
  {
    id: "security.capability",
    title: "file capabilities are kept as bytes, and go when the file is changed or given to another",
    origin: "U",
    needs: ["xattrs", "ownership"],
    async run(trial) {
      const twin = new Twin(trial);
      const names = ["kept", "closed", "written", "given", "anew"];
      await twin.layer((at) => {
        for (const name of names) {
          writeFileSync(`${at}/${name}`, "ping");
          set(`${at}/${name}`, "security.capability", capabilities[0] ?? "");
        }
        writeFileSync(`${at}/bytes`, "ping");
        set(`${at}/bytes`, "security.capability", capabilities[1] ?? "");
      });
      await twin.layer((at) => {
        chmodSync(`${at}/closed`, 0o711);
        writeFileSync(`${at}/written`, "pong");
        for (const name of ["given", "anew"]) chownSync(`${at}/${name}`, 1000, 50);
        set(`${at}/anew`, "security.capability", capabilities[1] ?? "");
        assert.equal(getxattrat(AT_FDCWD, `${at}/given`, "security.capability"), undefined);
      });
    },
  },
  {
    id: "trusted-xattrs",
    title: "attributes that only root sees are kept, also on symlinks",
    origin: "N",
    needs: ["xattrs", "ownership"],
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        writeFileSync(`${at}/file`, "below");
        symlinkSync("file", `${at}/link`);
        for (const name of ["file", "link"]) set(`${at}/${name}`, "trusted.name", name);
      });
      await twin.layer((at) => {
        writeFileSync(`${at}/file`, "above");
        set(`${at}/link`, "trusted.name", "changed");
        set(`${at}/link`, "trusted.added", "above");
      });
    },
  },
];
