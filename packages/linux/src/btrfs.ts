import { type Bytes, display } from "./bytes.ts";
import { ENAMETOOLONG } from "./errno.ts";
import { fail, SystemError } from "./errors.ts";
import type { Timespec } from "./stat.ts";
import * as native from "./syscalls.ts";

/*
 * The calls of btrfs on subvolumes and quotas: ioctls with the structs of include/uapi/linux/btrfs.h. All but those
 * that say otherwise need CAP_SYS_ADMIN, and fail with ENOTTY on another file system.
 */

// _IOW(0x94, nr, size) and its like; the size of the struct is bits 16 to 29.
const requests = {
  SNAP_CREATE_V2: 0x50009417,
  SUBVOL_CREATE_V2: 0x50009418,
  SNAP_DESTROY_V2: 0x5000943f,
  SYNC: 0x9408,
  SUBVOL_GETFLAGS: 0x80089419,
  SUBVOL_SETFLAGS: 0x4008941a,
  GET_SUBVOL_INFO: 0x81f8943c,
  QUOTA_CTL: 0xc0109428,
  QGROUP_CREATE: 0x4010942a,
  QGROUP_LIMIT: 0x8030942b,
} as const;

const SUBVOL_RDONLY = 0x02n;
const SUBVOL_SPEC_BY_ID = 0x10n;

/** Make an empty subvolume; the process's umask applies to its root. No privilege is needed. */
export function btrfsSubvolCreate(dirfd: number, name: Bytes): void {
  call("SUBVOL_CREATE_V2", dirfd, volArgs(name), name);
}

/**
 * Make a subvolume with the content of another, which is shared until one of them changes it. What was written to the
 * source before is in it. On another thread, since the kernel writes the source's data to disk and commits its
 * transaction first; `dirfd` and `sourceFd` (the root of a subvolume of this file system) must stay open meanwhile.
 * @param readonly - whether the snapshot can be written
 */
export function btrfsSnapCreate(
  dirfd: number,
  name: Bytes,
  sourceFd: number,
  readonly: boolean,
): Promise<void> {
  const args = volArgs(name);
  args.writeBigInt64LE(BigInt(sourceFd), volArgsFields.fd);
  args.writeBigUInt64LE(readonly ? SUBVOL_RDONLY : 0n, volArgsFields.flags);
  return callInBackground("SNAP_CREATE_V2", dirfd, args, name);
}

/**
 * Remove a subvolume with all that is in it, but for subvolumes: while it holds one, this fails with ENOTEMPTY. Its
 * names are gone when this returns; the kernel gives the space back later. Since Linux 5.7.
 * @param fd - any open file of the file system
 */
export function btrfsSubvolDestroy(fd: number, id: bigint): void {
  const args = Buffer.alloc(volArgsBytes);
  args.writeBigUInt64LE(SUBVOL_SPEC_BY_ID, volArgsFields.flags);
  args.writeBigUInt64LE(id, volArgsFields.name);
  call("SNAP_DESTROY_V2", fd, args);
}

/** Whether nobody can write to the subvolume whose root `fd` is. No privilege is needed. */
export function btrfsSubvolReadonly(fd: number): boolean {
  const flags = Buffer.alloc(8);
  call("SUBVOL_GETFLAGS", fd, flags);
  return (flags.readBigUInt64LE() & SUBVOL_RDONLY) !== 0n;
}

/** Let nobody write to the subvolume whose root `fd` is, or let them again. Its owner may do it too. */
export function btrfsSetSubvolReadonly(fd: number, readonly: boolean): void {
  const flags = Buffer.alloc(8);
  call("SUBVOL_GETFLAGS", fd, flags);
  const others = flags.readBigUInt64LE() & ~SUBVOL_RDONLY;
  flags.writeBigUInt64LE(readonly ? others | SUBVOL_RDONLY : others);
  call("SUBVOL_SETFLAGS", fd, flags);
}

/** What the kernel knows of a subvolume. Ids and transactions count up. */
export interface BtrfsSubvolInfo {
  readonly id: bigint;
  /** The subvolume that it is in; 0 for the top of the file system. */
  readonly parentId: bigint;
  /** The transaction that made it. Whatever happens in a snapshot is of a later one. */
  readonly madeIn: bigint;
  /** When that was, by the clock. */
  readonly otime: Timespec;
  /** Whether it was made as a snapshot of another. */
  readonly isSnapshot: boolean;
}

// struct btrfs_ioctl_get_subvol_info_args: treeid, name[256], parent_id, dirid, generation, flags, uuid, parent_uuid,
// received_uuid, ctransid, otransid, stransid, rtransid, ctime, otime (u64 sec, u32 nsec), ...
const subvolInfo = {
  bytes: 504,
  treeid: 0,
  parentId: 264,
  parentUuid: 312,
  otransid: 352,
  otime: 392,
} as const;

/** Of the subvolume that the open file is in. No privilege is needed. */
export function btrfsSubvolInfo(fd: number): BtrfsSubvolInfo {
  const info = Buffer.alloc(subvolInfo.bytes);
  call("GET_SUBVOL_INFO", fd, info);
  return {
    id: info.readBigUInt64LE(subvolInfo.treeid),
    parentId: info.readBigUInt64LE(subvolInfo.parentId),
    madeIn: info.readBigUInt64LE(subvolInfo.otransid),
    otime: {
      sec: Number(info.readBigUInt64LE(subvolInfo.otime)),
      nsec: info.readUInt32LE(subvolInfo.otime + 8),
    },
    isSnapshot: info.subarray(subvolInfo.parentUuid, subvolInfo.parentUuid + 16).some((byte) => byte !== 0),
  };
}

/**
 * Write everything of the file system to disk, as {@link syncfsInBackground} does, and have the kernel's cleaner begin
 * with subvolumes that were destroyed, which it else does within half a minute. No privilege is needed. The
 * descriptor must stay open meanwhile.
 * @param fd - any open file of the file system
 */
export function btrfsSync(fd: number): Promise<void> {
  return callInBackground("SYNC", fd, Buffer.alloc(0));
}

const QUOTA_CTL_DISABLE = 2n;
const QUOTA_CTL_ENABLE_SIMPLE_QUOTA = 4n;

/**
 * Turn on simple quotas: from then on, what a subvolume writes counts for it as long as anybody keeps it. Since
 * Linux 6.7, before which this fails with EINVAL.
 * @param fd - any open file of the file system
 */
export function btrfsQuotaEnableSimple(fd: number): void {
  quotaCtl(fd, QUOTA_CTL_ENABLE_SIMPLE_QUOTA);
}

/** Turn off quotas of any kind, and forget all limits. */
export function btrfsQuotaDisable(fd: number): void {
  quotaCtl(fd, QUOTA_CTL_DISABLE);
}

function quotaCtl(fd: number, command: bigint): void {
  const args = Buffer.alloc(16); // cmd, status
  args.writeBigUInt64LE(command);
  call("QUOTA_CTL", fd, args);
}

const QGROUP_LIMIT_MAX_RFER = 1n;

/** Limit what a subvolume may hold, in bytes. @throws SystemError ENOTCONN, if quotas are off */
export function btrfsQgroupLimit(fd: number, subvolumeId: bigint, bytes: bigint): void {
  const args = Buffer.alloc(48); // qgroupid, then flags, max_rfer, max_excl, rsv_rfer, rsv_excl
  args.writeBigUInt64LE(subvolumeId);
  args.writeBigUInt64LE(QGROUP_LIMIT_MAX_RFER, 8);
  args.writeBigUInt64LE(bytes, 16);
  call("QGROUP_LIMIT", fd, args);
}

/** Remove the count and the limit of a subvolume. @throws SystemError EBUSY, while something counts for it */
export function btrfsQgroupRemove(fd: number, subvolumeId: bigint): void {
  const args = Buffer.alloc(16); // create, qgroupid
  args.writeBigUInt64LE(subvolumeId, 8);
  call("QGROUP_CREATE", fd, args);
}

// struct btrfs_ioctl_vol_args_v2: s64 fd, u64 transid, u64 flags, 32 bytes of no use here, char name[4040] or u64 id.
const volArgsBytes = 4096;
const volArgsFields = { fd: 0, flags: 16, name: 56 } as const;

function volArgs(name: Bytes): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.includes(0)) throw new TypeError(`a name must not hold a NUL: ${JSON.stringify(display(name))}`);
  if (bytes.length > 255) throw new SystemError(ENAMETOOLONG, "ioctl", name);
  const args = Buffer.alloc(volArgsBytes);
  args.set(bytes, volArgsFields.name);
  return args;
}

function call(request: keyof typeof requests, fd: number, args: Buffer, name?: Bytes): void {
  if (native.ioctl(fd, requests[request], args) < 0) fail(`ioctl ${request}`, name);
}

function callInBackground(
  request: keyof typeof requests,
  fd: number,
  args: Buffer,
  name?: Bytes,
): Promise<void> {
  return new Promise((resolve, reject) => {
    native.ioctlInBackground(fd, requests[request], args, (failure, result) => {
      if (result === 0) resolve();
      else reject(failure ?? new SystemError(native.lastErrno(), `ioctl ${request}`, name));
    });
  });
}
