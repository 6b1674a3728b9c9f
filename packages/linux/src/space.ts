import { ENXIO } from "./errno.ts";
import { fail, SystemError } from "./errors.ts";
import * as native from "./syscalls.ts";

/** Write everything of the file system that `fd` is on to disk. Cost: that of all its unwritten data. @see sync(2) */
export function syncfs(fd: number): void {
  if (native.syncfs(fd) < 0) fail("syncfs");
}

/** As {@link syncfs}, on another thread, since it can take seconds. The descriptor must stay open meanwhile. */
export function syncfsInBackground(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    native.syncfsInBackground(fd, (failure, result) => {
      if (result === 0) resolve();
      else reject(failure ?? new SystemError(native.lastErrno(), "syncfs"));
    });
  });
}

/**
 * Start (or await) writing a range of a file's data to disk. Makes nothing durable; it spreads the cost of a later
 * sync.
 * @param flags - SYNC_FILE_RANGE_*
 * @see sync_file_range(2)
 */
export function syncFileRange(fd: number, offset: number, length: number, flags: number): void {
  if (native.syncFileRange(fd, offset, length, flags) < 0) fail("sync_file_range");
}

/** Allocate or free a range of a file. @param mode - FALLOC_FL_*. @see fallocate(2) */
export function fallocate(fd: number, mode: number, offset: number, length: number): void {
  if (native.fallocate(fd, mode, offset, length) < 0) fail("fallocate");
}

// loff_t *off_in and *off_out of copy_file_range(2), each s64.
const inPosition = new BigInt64Array(1);
const outPosition = new BigInt64Array(1);
const inPositionBytes = new Uint8Array(inPosition.buffer);
const outPositionBytes = new Uint8Array(outPosition.buffer);

/**
 * Copy bytes between files inside the kernel, sharing blocks where the file system can.
 * @returns the number of bytes copied, which can be less than `length`; 0 at the end of the file
 * @see copy_file_range(2)
 */
export function copyFileRange(
  inFd: number,
  inOffset: number,
  outFd: number,
  outOffset: number,
  length: number,
): number {
  inPosition[0] = BigInt(inOffset);
  outPosition[0] = BigInt(outOffset);
  const copied = native.copyFileRange(inFd, inPositionBytes, outFd, outPositionBytes, length, 0);
  return copied < 0 ? fail("copy_file_range") : copied;
}

// _IOW(0x94, 9, int) of include/uapi/linux/fs.h.
const FICLONE = 0x40049409;

/** Make `destFd` a file that shares all blocks of `srcFd` (btrfs, xfs). @see ioctl_ficlone(2) */
export function ficlone(destFd: number, srcFd: number): void {
  if (native.ioctlInt(destFd, FICLONE, srcFd) < 0) fail("ioctl FICLONE");
}

const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** Where data begin at or after `offset`; undefined if only a hole follows. Moves the file's offset. @see lseek(2) */
export function seekData(fd: number, offset: number): number | undefined {
  return seek(fd, offset, SEEK_DATA);
}

/** Where the next hole begins at or after `offset`; the file's end counts as one. Undefined beyond the end. */
export function seekHole(fd: number, offset: number): number | undefined {
  return seek(fd, offset, SEEK_HOLE);
}

function seek(fd: number, offset: number, whence: number): number | undefined {
  const position = native.lseek(fd, offset, whence);
  if (position >= 0) return position;
  return native.lastErrno() === ENXIO ? undefined : fail("lseek");
}

/** What a file system has and has left. */
export interface FileSystemStat {
  /** Its magic number, e.g. EXT4_SUPER_MAGIC. */
  readonly type: number;
  /** The unit of the block counts, in bytes. */
  readonly blockSize: number;
  readonly blocks: number;
  readonly bfree: number;
  /** Free for ordinary users. */
  readonly bavail: number;
  /** Inodes. */
  readonly files: number;
  readonly ffree: number;
}

// struct statfs of statfs(2) on 64-bit architectures: f_type, f_bsize, f_blocks, f_bfree, f_bavail, f_files,
// f_ffree, each 64 bits, then fields of no use here; 120 bytes.
const statfs = new DataView(new ArrayBuffer(120));
const statfsBytes = new Uint8Array(statfs.buffer);

/** @see fstatfs(2) */
export function fstatfs(fd: number): FileSystemStat {
  if (native.fstatfs(fd, statfsBytes) < 0) fail("fstatfs");
  const field = (index: number) => Number(statfs.getBigUint64(8 * index, true));
  return {
    type: field(0),
    blockSize: field(1),
    blocks: field(2),
    bfree: field(3),
    bavail: field(4),
    files: field(5),
    ffree: field(6),
  };
}
