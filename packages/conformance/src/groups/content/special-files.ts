import assert from "node:assert/strict";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  closeSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { errnoCode } from "@strata/core";
import { AT_FDCWD, linkat, mknodat, S_IFBLK, S_IFCHR, S_IFIFO, S_IFSOCK } from "@strata/linux";
import type { Behaviour } from "../../behaviour.ts";
import { Twin } from "../../trees/twin.ts";

const none = { major: 0, minor: 0 };
const fifo = (path: string) => mknodat(AT_FDCWD, path, S_IFIFO | 0o640, none);
const socket = (path: string) => mknodat(AT_FDCWD, path, S_IFSOCK | 0o750, none);

/** What is neither file, directory nor symlink. */
export const specialFiles: readonly Behaviour[] = [
  {
    id: "fifos",
    title: "a fifo is kept, can be changed, removed and given another name",
    origin: "SU",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const name of ["fifo", "changed", "removed"]) fifo(`${at}/${name}`);
        linkat(AT_FDCWD, `${at}/fifo`, AT_FDCWD, `${at}/second-name`);
      });
      await twin.layer((at) => {
        chmodSync(`${at}/changed`, 0o666);
        rmSync(`${at}/removed`);
      });
    },
  },
  {
    id: "fifos-work",
    title: "a fifo of the parent carries data",
    origin: "N",
    async run(trial) {
      await trial.commit("base", (at) => fifo(`${at}/fifo`));
      await trial.edit(await trial.driver.prepare("active", "base"), (at) => {
        const fd = openSync(`${at}/fifo`, "r+");
        const bytes = Buffer.alloc(7);
        writeSync(fd, "through");
        readSync(fd, bytes);
        closeSync(fd);
        assert.equal(bytes.toString(), "through");
      });
    },
  },
  {
    id: "devices",
    title: "character and block devices keep their numbers, modes and owners, also large numbers",
    origin: "SU",
    needs: ["ownership"],
    async run(trial) {
      const twin = new Twin(trial);
      const devices = {
        null: [S_IFCHR, 1, 3],
        // As large as xfs takes.
        large: [S_IFCHR, 511, 262_143],
        block: [S_IFBLK, 259, 70_000],
        zero: [S_IFBLK, 0, 0],
      } as const;
      await twin.layer((at) => {
        for (const [name, [type, major, minor]] of Object.entries(devices)) {
          mknodat(AT_FDCWD, `${at}/${name}`, type | 0o660, { major, minor });
        }
      });
      await twin.layer((at) => {
        chownSync(`${at}/block`, 0, 6);
        chmodSync(`${at}/null`, 0o666);
        rmSync(`${at}/large`);
        mknodat(AT_FDCWD, `${at}/large`, S_IFBLK | 0o600, { major: 8, minor: 1 });
      });
    },
  },
  {
    id: "devices-work",
    title: "a device in a mounted tree can be used as one in any directory beside the driver",
    origin: "N",
    needs: ["ownership"],
    async run(trial) {
      const twin = new Twin(trial);
      const use = (path: string): string => {
        try {
          writeFileSync(path, "into nothing");
          return "written";
        } catch (error) {
          return errnoCode(error) ?? "";
        }
      };
      await twin.layer((at) => {
        mknodat(AT_FDCWD, `${at}/null`, S_IFCHR | 0o666, { major: 1, minor: 3 });
      });
      await trial.edit(await trial.driver.prepare("active", twin.top), (at) => {
        assert.equal(use(`${at}/null`), use(`${twin.plain}/null`));
      });
    },
  },
  {
    id: "sockets",
    title: "a socket is kept, can be changed, removed and given another name",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const name of ["socket", "changed", "removed"]) socket(`${at}/${name}`);
      });
      await twin.layer((at) => {
        chmodSync(`${at}/changed`, 0o600);
        rmSync(`${at}/removed`);
        linkat(AT_FDCWD, `${at}/socket`, AT_FDCWD, `${at}/second-name`);
      });
    },
  },
  {
    id: "sockets-listen",
    title: "a server can listen on a socket in a mounted tree, and clients reach it",
    origin: "N",
    async run(trial) {
      await trial.edit(await trial.driver.prepare("active"), async (at) => {
        // The path of a socket is at most 107 bytes long.
        await using directory = await open(at);
        // Waits for what it accepted, also if something fails: nothing may keep the tree busy.
        await using server = createServer((accepted) => accepted.end("hello"));
        const path = `/proc/self/fd/${directory.fd}/socket`;
        await once(server.listen(path), "listening");
        const client = connect(path);
        const [[hello]] = await Promise.all([once(client, "data"), once(client, "close")]);
        assert.equal(String(hello), "hello");
      });
    },
  },
];
