import assert from "node:assert/strict";
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { AT_FDCWD, close, mkdirat, O_DIRECTORY, O_RDONLY, openat } from "@strata/linux";
import type { Behaviour } from "../../behaviour.ts";
import { Twin } from "../../trees/twin.ts";

const [mebibyte, gibibyte] = [2 ** 20, 2 ** 30];

/** A file of `size` bytes that is all hole but for a word at each of `positions`. */
function writeSparse(path: string, size: number, positions: readonly number[]): void {
  const fd = openSync(path, "w");
  ftruncateSync(fd, size);
  for (const position of positions) writeSync(fd, "data", position);
  closeSync(fd);
}

function readAt(path: string, position: number, length: number): string {
  const fd = openSync(path, "r");
  const bytes = Buffer.alloc(length);
  const count = readSync(fd, bytes, 0, length, position);
  closeSync(fd);
  return bytes.toString("latin1", 0, count);
}

/** Directories of the longest name in one another: together beyond what one path can name (PATH_MAX is 4096). */
const deepNames = Array.from({ length: 20 }, (_, n) => String.fromCharCode(97 + n).repeat(250));

/** Go down the deep directories, make those that are missing, and do something in the innermost. */
function inDeepest(at: string, act: (directory: string) => void): void {
  let fd = openat(AT_FDCWD, at, O_RDONLY | O_DIRECTORY);
  for (const name of deepNames) {
    const inner = `/proc/self/fd/${fd}/${name}`;
    if (statSync(inner, { throwIfNoEntry: false }) === undefined) mkdirat(fd, name, 0o755);
    const next = openat(fd, name, O_RDONLY | O_DIRECTORY);
    close(fd);
    fd = next;
  }
  try {
    act(`/proc/self/fd/${fd}`);
  } finally {
    close(fd);
  }
}

/** Large files, large directories, long paths. */
export const sizes: readonly Behaviour[] = [
  {
    id: "sparse-file",
    title: "files with holes at their beginning, in the middle and at their end read as they should",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      const files = {
        begins: [8 * mebibyte, [8 * mebibyte - 4]],
        middle: [8 * mebibyte, [0, 4096, 5_000_001, 8 * mebibyte - 4]],
        ends: [8 * mebibyte, [0]],
        nothing: [8 * mebibyte, []],
        odd: [1_000_003, [500_000]],
      } as const;
      await twin.layer((at) => {
        for (const [name, [size, positions]] of Object.entries(files))
          writeSparse(`${at}/${name}`, size, positions);
      });
      await twin.layer((at) => {
        for (const name of Object.keys(files)) writeFileSync(`${at}/${name}`, "appended", { flag: "a" });
        writeFileSync(`${at}/nothing`, "into the hole", { flag: "r+" });
      });
    },
  },
  {
    id: "sparse-file-stays-sparse",
    title: "the holes of a file take no room in a child, neither before it is written to nor after",
    origin: "N",
    async run(trial) {
      await trial.commit("base", (at) => writeSparse(`${at}/file`, gibibyte, [gibibyte / 2]));
      const active = await trial.driver.prepare("active", "base");
      const allocated = (at: string) => statSync(`${at}/file`).blocks * 512;
      await trial.edit(active, (at) => {
        assert(allocated(at) <= mebibyte, `${allocated(at)} bytes are allocated before the write`);
        writeFileSync(`${at}/file`, "appended", { flag: "a" });
      });
      await active.commit("child");
      await trial.look("child", (at) => {
        assert.equal(statSync(`${at}/file`).size, gibibyte + 8);
        assert.equal(readAt(`${at}/file`, gibibyte / 2 - 1, 6), "\0data\0");
        assert.equal(readAt(`${at}/file`, gibibyte - 1, 10), "\0appended");
        assert(allocated(at) <= 2 * mebibyte, `${allocated(at)} bytes are allocated after the write`);
      });
    },
  },
  {
    id: "big-file",
    title: "a file beyond 4 GiB keeps its bytes on both sides of each power of two, and can be changed there",
    origin: "N",
    async run(trial) {
      const [size, edges] = [5 * gibibyte + 7, [gibibyte, 2 * gibibyte, 4 * gibibyte, 5 * gibibyte]];
      await trial.commit("base", (at) => {
        writeSparse(
          `${at}/file`,
          size,
          edges.map((edge) => edge - 2),
        );
      });
      await trial.commit(
        "child",
        (at) => {
          const fd = openSync(`${at}/file`, "r+");
          writeSync(fd, "NEW", 4 * gibibyte);
          closeSync(fd);
        },
        "base",
      );
      for (const [id, expected] of [
        ["base", "\0data\0"],
        ["child", "\0daNEW"],
      ] as const) {
        await trial.look(id, (at) => {
          assert.equal(statSync(`${at}/file`).size, size);
          for (const edge of edges)
            assert.equal(readAt(`${at}/file`, edge - 3, 6), edge === 4 * gibibyte ? expected : "\0data\0");
        });
      }
      await trial.commit("cut", (at) => truncateSync(`${at}/file`, 4 * gibibyte + 1), "child");
      await trial.look("cut", (at) => assert.equal(readAt(`${at}/file`, 4 * gibibyte - 3, 6), "\0daN"));
    },
  },
  {
    id: "full-file",
    title: "a file of many megabytes without a hole keeps its bytes when a few of them change",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      const size = 24 * mebibyte + 123;
      await twin.layer((at) => {
        const bytes = Buffer.alloc(size);
        for (let n = 0; n + 4 <= size; n += 4096) bytes.writeUInt32LE(n, n);
        writeFileSync(`${at}/file`, bytes);
      });
      await twin.layer((at) => {
        const fd = openSync(`${at}/file`, "r+");
        writeSync(fd, "changed", 17 * mebibyte);
        closeSync(fd);
      });
    },
  },
  {
    id: "10k-entry-directory",
    title: "a directory of 10,000 entries is kept; some are deleted, some added, and all the others stay",
    origin: "N",
    async run(trial) {
      const names = new Set<string>();
      const listed = (at: string) => readdirSync(`${at}/dir`).sort();
      await trial.commit("base", (at) => {
        mkdirSync(`${at}/dir`);
        // Names of a few files, which are made much faster than as many files.
        for (let n = 0; n < 20; n++) writeFileSync(`${at}/dir/file-${n}`, `${n}`);
        for (let n = 20; n < 10_000; n++) linkSync(`${at}/dir/file-${n % 20}`, `${at}/dir/entry-${n}`);
        for (const name of listed(at)) names.add(name);
        assert.equal(names.size, 10_000);
      });
      const edit = (at: string) => {
        assert.deepEqual(listed(at), [...names].sort());
        for (let n = 20; n < 10_000; n += 50) {
          rmSync(`${at}/dir/entry-${n}`);
          names.delete(`entry-${n}`);
          writeFileSync(`${at}/dir/new-${n}`, "above");
          names.add(`new-${n}`);
        }
        assert.deepEqual(listed(at), [...names].sort());
      };
      await trial.commit("child", edit, "base");
      await trial.look("child", (at) => {
        assert.deepEqual(listed(at), [...names].sort());
        for (const n of [21, 5004, 9999])
          assert.equal(readFileSync(`${at}/dir/entry-${n}`, "utf8"), `${n % 20}`);
      });
    },
  },
  {
    id: "path-beyond-PATH_MAX",
    title: "directories nested deeper than one path can name are kept, with what is in the innermost",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) =>
        inDeepest(at, (directory) => {
          for (const name of ["kept", "changed", "deleted"]) writeFileSync(`${directory}/${name}`, "below");
        }),
      );
      await twin.layer((at) =>
        inDeepest(at, (directory) => {
          writeFileSync(`${directory}/changed`, "above");
          rmSync(`${directory}/deleted`);
        }),
      );
    },
  },
  {
    id: "many-levels",
    title: "100 directories in one another are kept, and can be added to at the bottom",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      const path = Array.from({ length: 100 }, () => "d").join("/");
      await twin.layer((at) => {
        mkdirSync(`${at}/${path}`, { recursive: true });
        writeFileSync(`${at}/${path}/file`, "below");
      });
      await twin.layer((at) => writeFileSync(`${at}/${path}/new`, "above"));
    },
  },
];
