import { errnoCode, StrataError, toStrataError } from "@strata/core";
import { quoted } from "./entries.ts";

// What a call on a name fails with when the name was removed, or given to another type of file, after it was listed.
const gone: ReadonlySet<string | undefined> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENXIO", "ESTALE"]);

/** The error of reading `path` in a tree, for people. */
export function readError(error: unknown, path: Buffer): unknown {
  const errno = errnoCode(error);
  if (gone.has(errno)) return changedWhileRead(path, error);
  if (errno !== "EACCES") return toStrataError(error, quoted(path));
  const message = `${quoted(path)} is closed to this user; open it (chmod u+rX), or read the tree as root`;
  return new StrataError("Unsupported", message, { cause: error });
}

/** That the tree is not what it was a moment ago. */
export function changedWhileRead(path: Buffer, cause?: unknown): StrataError {
  const message = `${quoted(path)} changed while it was read; stop what writes to the tree, then try again`;
  return new StrataError("Busy", message, { cause });
}
