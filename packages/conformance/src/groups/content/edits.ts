import assert from "node:assert/strict";
import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import {
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  close,
  copyFileRange,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  fallocate,
  linkat,
  O_RDWR,
  O_TMPFILE,
  openat,
  utimensat,
} from "@strata/linux";
import type { Behaviour } from "../../behaviour.ts";
import { listChanges } from "../../trees/diffs.ts";
import { Twin } from "../../trees/twin.ts";

const mebibyte = 2 ** 20;

/** Contents of files that are changed on top of a parent. */
export const edits: readonly Behaviour[] = [
  {
    id: "overwrite-across-second-boundary",
    title: "a file that was overwritten a nanosecond later is the new one, and known as changed",
    origin: "C",
    async run(trial) {
      const twin = new Twin(trial);
      const write = (path: string, content: string, sec: number, nsec: number) => {
        writeFileSync(path, content);
        utimensat(AT_FDCWD, path, { sec, nsec });
      };
      await twin.layer((at) => {
        mkdirSync(`${at}/dir`);
        write(`${at}/dir/next-second`, "before", 1_500_000_000, 999_999_999);
        write(`${at}/dir/same-second`, "before", 1_500_000_000, 0);
      });
      const name = await twin.layer((at) => {
        write(`${at}/dir/next-second`, "behind", 1_500_000_001, 0);
        write(`${at}/dir/same-second`, "behind", 1_500_000_000, 1);
      });
      assert.deepEqual(await listChanges((await trial.driver.open(name)).layout()), [
        "C dir",
        "C dir/next-second",
        "C dir/same-second",
      ]);
    },
  },
  {
    id: "same-size-same-mtime-edit",
    title: "a file with other bytes of the same size and mtime is the new one, and known as changed",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      const write = (at: string, content: string) => {
        writeFileSync(`${at}/dir/file`, content);
        utimensat(AT_FDCWD, `${at}/dir/file`, { sec: 1_500_000_000, nsec: 5 });
        utimensat(AT_FDCWD, `${at}/dir`, { sec: 1_500_000_000, nsec: 6 });
      };
      await twin.layer((at) => {
        mkdirSync(`${at}/dir`);
        write(at, "before");
      });
      const active = await trial.driver.prepare("active", twin.top);
      await trial.edit(active, (at) => write(at, "behind"));
      write(twin.plain, "behind");
      const expected = ["C dir", "C dir/file"];
      assert.deepEqual(await listChanges(active.layout()), expected);
      await active.commit("edited");
      assert.deepEqual(await listChanges((await trial.driver.open("edited")).layout()), expected);
      await twin.matches("edited");
    },
  },
  {
    id: "append",
    title: "what is appended comes after what the parent had",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        writeFileSync(`${at}/small`, "below");
        writeFileSync(`${at}/large`, Buffer.alloc(3 * mebibyte, "below"));
        writeFileSync(`${at}/empty`, "");
      });
      await twin.layer((at) => {
        for (const name of ["small", "large", "empty"]) appendFileSync(`${at}/${name}`, "above");
      });
    },
  },
  {
    id: "write-in-the-middle",
    title: "a few bytes written into a file leave the others as they were",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => writeFileSync(`${at}/file`, Buffer.alloc(3 * mebibyte, "below")));
      await twin.layer((at) => {
        const fd = openSync(`${at}/file`, "r+");
        for (const position of [0, 4095, mebibyte + 1, 3 * mebibyte - 1]) writeSync(fd, "!", position);
        closeSync(fd);
      });
    },
  },
  {
    id: "truncate",
    title: "a file that is cut or made longer has its new size, and zeros where nothing was",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      const sizes = [0, 1, 4096, 10_000, 20_000];
      await twin.layer((at) => {
        for (const size of sizes) writeFileSync(`${at}/to-${size}`, Buffer.alloc(10_000, "below"));
        writeFileSync(`${at}/to-and-fro`, Buffer.alloc(10_000, "below"));
        writeFileSync(`${at}/opened`, "below");
      });
      await twin.layer((at) => {
        for (const size of sizes) truncateSync(`${at}/to-${size}`, size);
        truncateSync(`${at}/to-and-fro`, 5);
        truncateSync(`${at}/to-and-fro`, 10_000);
        // O_TRUNC, and nothing written.
        closeSync(openSync(`${at}/opened`, "w"));
      });
    },
  },
  {
    id: "fallocate",
    title: "room that is allocated or punched out of a file reads as it should",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const name of ["longer", "reserved", "punched"])
          writeFileSync(`${at}/${name}`, Buffer.alloc(64 * 1024, "below"));
      });
      await twin.layer((at) => {
        const allocate = (name: string, mode: number, offset: number, length: number) => {
          const fd = openSync(`${at}/${name}`, "r+");
          fallocate(fd, mode, offset, length);
          closeSync(fd);
        };
        allocate("longer", 0, 0, 128 * 1024);
        allocate("reserved", FALLOC_FL_KEEP_SIZE, 0, 128 * 1024);
        allocate("punched", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 10_000);
      });
    },
  },
  {
    id: "copy-file-range",
    title: "bytes that the kernel copies between files of the parent and new ones arrive",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        writeFileSync(`${at}/from`, Buffer.alloc(mebibyte, "source"));
        writeFileSync(`${at}/into`, Buffer.alloc(mebibyte, "target"));
      });
      await twin.layer((at) => {
        const from = openSync(`${at}/from`, "r");
        for (const [name, flags, position] of [
          ["new", "w", 0],
          ["into", "r+", 8192],
        ] as const) {
          const to = openSync(`${at}/${name}`, flags);
          assert.equal(copyFileRange(from, 4096, to, position, 65_536), 65_536);
          closeSync(to);
        }
        closeSync(from);
      });
    },
  },
  {
    id: "empty-files",
    title: "an empty file stays one, can be filled, and can become one",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const name of ["kept", "filled"]) writeFileSync(`${at}/${name}`, "");
        writeFileSync(`${at}/emptied`, "below");
      });
      await twin.layer((at) => {
        writeFileSync(`${at}/filled`, "above");
        writeFileSync(`${at}/emptied`, "");
        writeFileSync(`${at}/new`, "");
      });
    },
  },
  {
    id: "unnamed-file",
    title: "a file made without a name (O_TMPFILE) can be given one, or is refused",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => mkdirSync(`${at}/dir`));
      await twin.layerUnlessRefused(["ENOTSUP", "EISDIR"], (at) => {
        const fd = openat(AT_FDCWD, `${at}/dir`, O_TMPFILE | O_RDWR, 0o640);
        writeSync(fd, "unnamed");
        linkat(AT_FDCWD, `/proc/self/fd/${fd}`, AT_FDCWD, `${at}/dir/named`, AT_SYMLINK_FOLLOW);
        close(fd);
      });
    },
  },
  {
    id: "written-while-open",
    title: "what is written through one descriptor is read through another that writes, and by name",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => writeFileSync(`${at}/file`, "below"));
      await twin.layer((at) => {
        const [one, two] = [openSync(`${at}/file`, "r+"), openSync(`${at}/file`, "r+")];
        const bytes = Buffer.alloc(8);
        const read = (fd: number) => bytes.toString("latin1", 0, readSync(fd, bytes, 0, bytes.length, 0));
        writeSync(one, "ABOVE", 0);
        assert.equal(read(two), "ABOVE");
        ftruncateSync(two, 2);
        assert.equal(read(one), "AB");
        assert.equal(readFileSync(`${at}/file`, "utf8"), "AB");
        for (const fd of [one, two]) closeSync(fd);
      });
    },
  },
];
