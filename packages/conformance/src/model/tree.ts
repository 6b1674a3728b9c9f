import { createHash } from "node:crypto";
import type { Device, Timespec } from "@strata/linux";

export type FileType = "directory" | "file" | "symlink" | "fifo" | "character device" | "block device";

/** All that a layer keeps of one file. Bytes are `latin1` strings. */
export interface FileNode {
  readonly type: FileType;
  /** 07777 */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timespec;
  /** The content of a file, the target of a symlink, else empty. */
  readonly data: string;
  /** 0/0 but for devices. */
  readonly rdev: Device;
  readonly xattrs: ReadonlyMap<string, string>;
}

/**
 * A file tree that never changes: names, and the files that they are names of. Names of one file are its hardlinks.
 * A path is relative to the root, whose own path is empty.
 */
export class Tree {
  readonly names: ReadonlyMap<string, number>;
  readonly files: ReadonlyMap<number, FileNode>;
  #description: ReadonlyMap<string, string> | undefined;

  constructor(names: ReadonlyMap<string, number>, files: ReadonlyMap<number, FileNode>) {
    this.names = names;
    this.files = files;
  }

  /** All paths, sorted; with a `wanted`, those of files that are such. */
  paths(wanted: (file: FileNode, path: string) => boolean = () => true): string[] {
    return [...this.names.keys()].filter((path) => wanted(this.get(path), path)).sort();
  }

  has(path: string): boolean {
    return this.names.has(path);
  }

  find(path: string): FileNode | undefined {
    const id = this.names.get(path);
    return id === undefined ? undefined : this.files.get(id);
  }

  get(path: string): FileNode {
    const file = this.find(path);
    if (file === undefined) throw new Error(`there is no /${path} in the tree`);
    return file;
  }

  /** The paths below a directory, a directory before what is in it. */
  below(directory: string): string[] {
    return this.paths((_, path) => isBelow(path, directory));
  }

  /** Each path with all that is known of it, in words: what two trees are compared by. */
  describe(): ReadonlyMap<string, string> {
    this.#description ??= new Map(this.paths().map((path) => [path, this.#line(path)]));
    return this.#description;
  }

  /** Whether two trees are equal, and also in which names are one file. */
  equals(other: Tree): boolean {
    return this === other || differences(this, other).length === 0;
  }

  #line(path: string): string {
    const { type, mode, uid, gid, mtime, data, rdev, xattrs } = this.get(path);
    const words = [type, mode.toString(8).padStart(4, "0"), `${uid}:${gid}`, shownTime(mtime)];
    if (type === "file") words.push(shown(data));
    if (type === "symlink") words.push(`-> ${shown(data)}`);
    if (type.endsWith("device")) words.push(`${rdev.major}:${rdev.minor}`);
    for (const name of [...xattrs.keys()].sort()) words.push(`${name}=${shown(xattrs.get(name) ?? "")}`);
    const names = this.paths((_, other) => this.names.get(other) === this.names.get(path));
    if (names.length > 1) words.push(`one file: ${names.map(shownPath).join(" ")}`);
    return words.join(" ");
  }
}

/** How two trees differ, a line a path; empty if they are equal. */
export function differences(expected: Tree, found: Tree): string[] {
  const [a, b] = [expected.describe(), found.describe()];
  return [...new Set([...a.keys(), ...b.keys()])]
    .sort()
    .filter((path) => a.get(path) !== b.get(path))
    .map(
      (path) =>
        `${shownPath(path)}\n    expected ${a.get(path) ?? "nothing"}\n    found    ${b.get(path) ?? "nothing"}`,
    );
}

/** The directory that a path is in; the root is its own. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

export function isBelow(path: string, directory: string): boolean {
  return path !== "" && (directory === "" || path.startsWith(`${directory}/`));
}

export function joinPath(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/** A path for people. */
export function shownPath(path: string): string {
  const text = `/${path}`;
  return /^[\x21-\x7e]*$/.test(text) ? text : JSON.stringify(text);
}

/** Bytes for people. */
export function shown(bytes: string): string {
  if (bytes.length <= 40) return JSON.stringify(bytes);
  const digest = createHash("sha256").update(bytes, "latin1").digest("hex");
  return `${bytes.length} bytes (SHA-256 ${digest.slice(0, 12)})`;
}

export function shownTime({ sec, nsec }: Timespec): string {
  return `@${sec}.${`${nsec}`.padStart(9, "0")}`;
}
