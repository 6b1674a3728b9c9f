export { forEachAtOnce } from "./at-once.ts";
export { fsyncPath, type WriteFileOptions, writeFileAtomic } from "./atomic-file.ts";
export { type Capabilities, type Capability, supported, unsupported } from "./capabilities.ts";
export { chainIds, type Digest, digestHex, digestOf, isDigest, parseDigest } from "./digest.ts";
export type {
  ActiveSnapshot,
  CallOptions,
  CleanupReport,
  CommitOptions,
  CommittedSnapshot,
  Labels,
  Mount,
  MountOptions,
  PrepareOptions,
  Problem,
  Quota,
  Snapshot,
  SnapshotFilter,
  SnapshotInfo,
  SnapshotKind,
  SnapshotOptions,
  StorageDriver,
  UnmountOptions,
  Usage,
  ViewSnapshot,
} from "./driver.ts";
export { attempt, type ErrorCode, errnoCode, isStrataError, StrataError, toStrataError } from "./errors.ts";
export { failpoint, failpoints } from "./failpoint.ts";
export { FileLock, type FileLockOptions, type LockMode, type TakeLockOptions } from "./file-lock.ts";
export { assertId } from "./ids.ts";
export type { LayerLayout, OverlayLayout, PlainLayout } from "./layout.ts";
export { makeDirectories } from "./make-directories.ts";
export type {
  CreateOptions,
  DriverMechanism,
  DriverOptions,
  Durability,
  SnapshotPlace,
} from "./mechanism.ts";
export { copyTree, createDriver, removeTree, treeUsage } from "./on-demand.ts";
export { type PeekedSnapshot, peekCommitted } from "./peek-committed.ts";
export { inTurns } from "./turns.ts";
