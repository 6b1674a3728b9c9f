import { errnoCode } from "@strata/core";
import {
  O_DIRECTORY,
  O_PATH,
  openat2,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  type Stat,
  statxOrUndefined,
} from "@strata/linux";
import type { Limits } from "../limits.ts";
import type { LayerEntry } from "../tar/entry.ts";
import type { Directories } from "./directories.ts";
import { cleanPath, refused } from "./entry-path.ts";

/** Where a hard link leads. */
export interface LinkTarget {
  /** The directory of the target, for the caller to close; undefined, if there is none. */
  readonly dirfd: number | undefined;
  readonly name: Buffer;
  /** Cleaned. */
  readonly path: string;
  /** Undefined, if nothing is there. */
  readonly stat: Stat | undefined;
}

/**
 * Look up the target of a hard link in the tree being written. Symlinks on the way are followed within the root, by the
 * kernel; one at its end is the target itself.
 * @throws StrataError `InvalidArgument`, if it is no name inside the layer
 */
export function openTarget(directories: Directories, entry: LayerEntry, limits: Limits): LinkTarget {
  const components = cleanPath(entry.linkTarget?.toString("latin1") ?? "", limits);
  const last = components.pop();
  if (last === undefined) throw refused(entry.path.toString("latin1"), "it is a hard link to the root");
  const name = Buffer.from(last, "latin1");
  const parent = components.join("/");
  const path = parent === "" ? last : `${parent}/${last}`;
  const dirfd = openParent(directories.fd(directories.root), parent);
  return { dirfd, name, path, stat: dirfd === undefined ? undefined : statxOrUndefined(dirfd, name) };
}

function openParent(root: number, path: string): number | undefined {
  try {
    return openat2(root, Buffer.from(path === "" ? "." : path, "latin1"), {
      flags: O_PATH | O_DIRECTORY,
      resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    });
  } catch (error) {
    const code = errnoCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return undefined;
    throw error;
  }
}
