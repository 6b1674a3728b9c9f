import { chownSync, closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import {
  type Capabilities,
  type Capability,
  errnoCode,
  FileLock,
  removeTree,
  supported,
  unsupported,
} from "@strata/core";
import { ficlone, setxattr } from "@strata/linux";
import { canBindReadonly } from "./readonly-bind.ts";

/** As deep as overlayfs can mount, so that what one driver takes the other takes too. */
const maxDepth = 500;

/** Try out, in a directory of its own, what the user may do and what the file system can. */
export async function probe(root: string): Promise<Capabilities> {
  // One at a time, and so that what a killed process left can be told from what another is just doing.
  using _lock = await FileLock.take(root, "exclusive", { create: false });
  const trial = `${root}/probe`;
  await removeTree(trial);
  mkdirSync(trial, { mode: 0o700 });
  try {
    return tryOut(trial);
  } finally {
    await removeTree(trial);
  }
}

function tryOut(directory: string): Capabilities {
  const path = `${directory}/file`;
  writeFileSync(path, "strata");
  const file = openSync(path, "r+");
  const copy = openSync(`${directory}/copy`, "w");
  try {
    const reflink = attempt(() => ficlone(copy, file));
    const xattrs = attempt(() => setxattr(file, "user.strata", Buffer.from("1")));
    // Last, since the file may then be another's.
    const chown = attempt(() => chownSync(path, 1, 1));
    return {
      sharesParent: unsupported(
        `a snapshot starts as a copy of its parent${reflink === undefined ? ", though blocks of files are shared" : ""}`,
      ),
      readonlyViews: canBindReadonly(directory)
        ? supported("read-only bind mounts")
        : unsupported("a read-only bind mount needs root and Linux 5.12; a view is a copy"),
      rebase: unsupported("a snapshot holds a whole tree, not what differs from a parent"),
      ownership: capability(chown, "runs as root", "giving files to other users needs root"),
      xattrs: capability(xattrs, "kept by the file system", "the file system does not keep them"),
      hardlinksKeptOnWrite: supported("each snapshot has its own files"),
      quotaBytes: unsupported("a directory has no limit of its own"),
      quotaInodes: unsupported("a directory has no limit of its own"),
      maxDepth,
    };
  } finally {
    closeSync(file);
    closeSync(copy);
  }
}

function capability(errno: string | undefined, yes: string, no: string): Capability {
  return errno === undefined ? supported(yes) : unsupported(`${no} (${errno})`);
}

/** The errno with which a system call fails, undefined if it succeeds. */
function attempt(call: () => void): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    const errno = errnoCode(error);
    if (errno === undefined) throw error;
    return errno;
  }
}
