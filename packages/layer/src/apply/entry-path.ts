import { StrataError } from "@strata/core";
import { type Limits, limitExceeded } from "../limits.ts";

/*
 * Paths inside the layer are `latin1` strings here, one character a byte: as lossless as the bytes, and keys of maps.
 */

const slash = 0x2f;

/** A path of an archive, taken apart without looking at more of it than its end. */
export interface SplitPath {
  /** As in the archive, not cleaned: a key for what it was resolved to before. */
  readonly parent: string;
  /** The last component; undefined for the root. */
  readonly name: Buffer | undefined;
}

/**
 * Separate the last component from the rest.
 * @throws StrataError `InvalidArgument`, as {@link cleanPath}
 */
export function splitPath(path: Buffer, limits: Limits): SplitPath {
  let end = path.length;
  while (end > 0 && path[end - 1] === slash) end--;
  const start = path.lastIndexOf(slash, end - 1) + 1;
  const name = path.subarray(end === 0 ? 0 : start, end);
  if (!isDots(name) && name.length > 0) return { parent: path.toString("latin1", 0, start), name };
  // What ends with a dot or two is rare, and so not worth a shortcut.
  const components = cleanPath(path.toString("latin1"), limits);
  const last = components.pop();
  return {
    parent: components.join("/"),
    name: last === undefined ? undefined : Buffer.from(last, "latin1"),
  };
}

function isDots(name: Buffer): boolean {
  return name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e));
}

/**
 * The components of a path as the root of the layer sees it: absolute or not, without `.` and empty ones, each `..`
 * taken back with the one before it.
 * @throws StrataError `InvalidArgument`, if it leaves the root on its way, or lies deeper than `limits` allow
 */
export function cleanPath(path: string, limits: Limits): string[] {
  if (path.length === 0) throw refused(path, "an entry has an empty name");
  const components: string[] = [];
  for (const component of path.split("/")) {
    if (component === "" || component === ".") continue;
    if (component !== "..") components.push(component);
    else if (components.pop() === undefined) throw refused(path, "it leads out of the layer");
  }
  if (components.length > limits.maxDepth) throw limitExceeded(limits, "maxDepth");
  return components;
}

/** A path for messages. */
export function shown(path: string): string {
  return JSON.stringify(`/${Buffer.from(path, "latin1").toString()}`.replace(/^\/+/, "/"));
}

/** The error for an entry that a layer must not have. */
export function refused(path: string, why: string): StrataError {
  return new StrataError(
    "InvalidArgument",
    `the layer's entry ${shown(path)} is refused: ${why}; do not use this image, or build it anew`,
  );
}
