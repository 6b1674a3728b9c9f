import { ftruncateSync, readFileSync, readSync, statfsSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import {
  BTRFS_SUPER_MAGIC,
  copyFileRange,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  fallocate,
  ficlone,
  fstatfs,
  fstatx,
  O_CREAT,
  O_RDWR,
  openat,
  SYNC_FILE_RANGE_WRITE,
  seekData,
  seekHole,
  syncFileRange,
  syncfs,
  syncfsInBackground,
} from "@strata/linux";
import { expect, it } from "vitest";
import { useScratch, using } from "./support.ts";

const scratch = useScratch();
const MiB = 1024 * 1024;

function withFile<T>(name: string, action: (fd: number) => T): T {
  return using(openat(scratch.fd, name, O_RDWR | O_CREAT, 0o644), action);
}

it("finds the holes of a sparse file", () => {
  withFile("sparse", (fd) => {
    ftruncateSync(fd, 8 * MiB);
    writeSync(fd, "data", 4 * MiB);
    expect(seekData(fd, 0)).toBe(4 * MiB);
    const hole = seekHole(fd, 4 * MiB) ?? 0;
    expect(hole).toBeGreaterThan(4 * MiB);
    expect(hole).toBeLessThan(5 * MiB);
    expect(seekData(fd, hole)).toBeUndefined();
    expect(seekHole(fd, 9 * MiB)).toBeUndefined();
  });
});

it("allocates and frees ranges", () => {
  withFile("file", (fd) => {
    fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, MiB);
    expect(fstatx(fd)).toMatchObject({ size: 0 });
    expect(fstatx(fd).blocks * 512).toBeGreaterThanOrEqual(MiB);
    fallocate(fd, 0, 0, MiB);
    expect(fstatx(fd).size).toBe(MiB);
    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, MiB);
    expect(fstatx(fd)).toMatchObject({ size: MiB, blocks: 0 });
  });
});

it("copies ranges between files, leaving their offsets", () => {
  writeFileSync(join(scratch.path, "from"), "0123456789");
  withFile("from", (from) =>
    withFile("to", (to) => {
      expect(copyFileRange(from, 2, to, 4, 3)).toBe(3);
      expect(copyFileRange(from, 10, to, 0, 5)).toBe(0);
      const first = Buffer.alloc(1);
      readSync(from, first, 0, 1, null);
      expect(first.toString()).toBe("0");
    }),
  );
  expect(readFileSync(join(scratch.path, "to"), "latin1")).toBe("\0\0\0\x00234");
});

it("clones files where the file system can, and says so where it cannot", () => {
  writeFileSync(join(scratch.path, "from"), "content");
  withFile("from", (from) =>
    withFile("to", (to) => {
      if (fstatfs(from).type === BTRFS_SUPER_MAGIC) {
        ficlone(to, from);
        expect(readFileSync(join(scratch.path, "to"), "utf8")).toBe("content");
      } else {
        expect(() => ficlone(to, from)).toThrow(expect.objectContaining({ syscall: "ioctl FICLONE" }));
      }
    }),
  );
});

it("knows the file system", () => {
  const theirs = statfsSync(scratch.path);
  const { type, blockSize, blocks, files } = fstatfs(scratch.fd);
  expect({ type, bsize: blockSize, blocks, files }).toEqual({
    type: theirs.type,
    bsize: theirs.bsize,
    blocks: theirs.blocks,
    files: theirs.files,
  });
});

it("writes to disk", () => {
  withFile("file", (fd) => {
    writeSync(fd, "x");
    syncFileRange(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    syncfs(fd);
  });
  expect(() => syncfs(1_000_000)).toThrow(expect.objectContaining({ code: "EBADF", syscall: "syncfs" }));
});

it("writes to disk on another thread", async () => {
  await syncfsInBackground(scratch.fd);
  const refused = expect.objectContaining({ name: "SystemError", code: "EBADF", syscall: "syncfs" });
  await expect(syncfsInBackground(1_000_000)).rejects.toEqual(refused);
});
