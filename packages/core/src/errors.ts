import { constants } from "node:os";

/**
 * Every way a storage operation can fail. The set is closed: callers switch on it, and a new code is a new
 * major version.
 *
 * - `NotFound`: the key, name, image, blob or container does not exist.
 * - `AlreadyExists`: the key, name or tag is taken.
 * - `FailedPrecondition`: the thing exists but is in the wrong state, e.g. a parent that is not committed.
 * - `InvalidArgument`: data from outside (an archive, a reference, a key) is not what it must be.
 * - `Unsupported`: the host or the driver cannot do it; the message says why.
 * - `NoSpace`: the disk, the inode table or a quota is full.
 * - `DepthExceeded`: the chain of parents is longer than the driver can mount.
 * - `Corrupt`: stored bytes are not the bytes that were stored, or a stream does not match its digest.
 * - `Busy`: in use by a mount, a child or another process; trying again later can succeed.
 * - `Aborted`: the operation was cut short by something other than the caller's own signal.
 */
export type ErrorCode =
  | "NotFound"
  | "AlreadyExists"
  | "FailedPrecondition"
  | "InvalidArgument"
  | "Unsupported"
  | "NoSpace"
  | "DepthExceeded"
  | "Corrupt"
  | "Busy"
  | "Aborted";

const brand: unique symbol = Symbol.for("@strata/core.StrataError");

/**
 * The one error class. `code` is stable and is what programs switch on; `message` is for people and says what
 * failed, on what, why and what to do; `cause` keeps the system error, if there was one.
 */
export class StrataError extends Error {
  override readonly name = "StrataError";
  readonly code: ErrorCode;
  readonly [brand] = true;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Whether `error` is a {@link StrataError}, of `code` if given; true across copies of this package too. */
export function isStrataError(error: unknown, code?: ErrorCode): error is StrataError {
  return (
    error instanceof Error &&
    brand in error &&
    (code === undefined || ("code" in error && error.code === code))
  );
}

/** The `code` of a system error (`ENOENT`, `EEXIST`, ...), or undefined for anything else. */
export function errnoCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  if (isUnnamedQuotaError(error)) return "EDQUOT";
  return typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}

/** libuv, and so Node's `fs`, has no name for the error of a full quota: the number tells. */
function isUnnamedQuotaError(error: Error & { code: unknown }): boolean {
  return typeof error.code === "string" && "errno" in error && error.errno === -constants.errno.EDQUOT;
}

/** How the message of such an error begins: of a synchronous call, and of a promise. */
const unnamed = /^(UNKNOWN: unknown error|Unknown system error -\d+: Unknown system error -\d+)/;

const codeOfErrno: Readonly<Record<string, ErrorCode>> = {
  ENOENT: "NotFound",
  EEXIST: "AlreadyExists",
  ENOTEMPTY: "FailedPrecondition",
  EBUSY: "Busy",
  EAGAIN: "Busy",
  ENOSPC: "NoSpace",
  EDQUOT: "NoSpace",
  EPERM: "Unsupported",
  EACCES: "Unsupported",
  EROFS: "Unsupported",
  EOPNOTSUPP: "Unsupported",
  ENOTSUP: "Unsupported",
  ENOSYS: "Unsupported",
  EIO: "Corrupt",
  EUCLEAN: "Corrupt",
  ENAMETOOLONG: "InvalidArgument",
  ELOOP: "InvalidArgument",
  ENOTDIR: "InvalidArgument",
  EISDIR: "InvalidArgument",
  EXDEV: "InvalidArgument",
  EINVAL: "InvalidArgument",
  EMFILE: "Busy",
  ENFILE: "Busy",
};

const noSpaceHint = "free some space or raise the quota, then try again";
const tooManyFilesHint = "close some, or allow more with `ulimit -n`, then try again";

/** What to do about it, where that does not depend on what was being done. */
const hintOfErrno: Readonly<Record<string, string>> = {
  ENOSPC: noSpaceHint,
  EDQUOT: noSpaceHint,
  EMFILE: tooManyFilesHint,
  ENFILE: tooManyFilesHint,
  EIO: "the disk may be failing: look into the kernel's log (dmesg)",
  EROFS: "mount the file system for writing; if it became so by itself, look into the kernel's log (dmesg)",
};

/**
 * Map a system error to a {@link StrataError} once, at the edge. `what` is the sentence's beginning, e.g.
 * `apply layer sha256:...`. A StrataError, an abort reason or a programmer's TypeError comes back as it is.
 */
export function toStrataError(error: unknown, what: string): unknown {
  const errno = errnoCode(error);
  if (errno === undefined || isStrataError(error) || !(error instanceof Error)) return error;
  const code = codeOfErrno[errno] ?? "FailedPrecondition";
  const hint = hintOfErrno[errno];
  const why = error.message.replace(unnamed, `${errno}: disk quota exceeded`);
  return new StrataError(code, `${what}: ${why}${hint ? `; ${hint}` : ""}`, { cause: error });
}

/**
 * Do `work`, and map a system error that it throws with {@link toStrataError}. A throw before the first await rejects
 * too.
 */
export async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStrataError(error, what);
  }
}
