import {
  chmodSync,
  chownSync,
  closeSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { MadeBytes } from "./made-bytes.ts";
import { type PlannedEntry, planTree, type TreeSpec } from "./tree-plan.ts";

export type { TreeSpec } from "./tree-plan.ts";

/**
 * Fill a directory with a tree: names, modes, times and contents are the same for the same seed. Some files of a mixed
 * tree belong to user and group 1000, if this is root.
 *
 * Synchronous within, for threads that have nothing else to do. Cost: some seconds for 1 GB.
 * @param directory - made, if it is not there
 */
export async function writeTree(directory: string, spec: TreeSpec, seed: number): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const entries = planTree(spec, seed);
  const contents = new MadeBytes(seed, spec.compressible, spec.bytes);
  const isRoot = process.geteuid?.() === 0;
  for (const entry of entries) make(directory, entry, contents, isRoot);
  // Last: what is made in a directory changes its time.
  for (const entry of entries) {
    if (entry.kind === "directory") utimesSync(join(directory, entry.path), entry.mtime, entry.mtime);
  }
  chmodSync(directory, 0o755);
  utimesSync(directory, 0, 0);
}

function make(directory: string, entry: PlannedEntry, contents: MadeBytes, isRoot: boolean): void {
  const path = join(directory, entry.path);
  switch (entry.kind) {
    case "directory":
      mkdirSync(path);
      chmodSync(path, 0o755);
      if (isRoot) chownSync(path, 0, 0);
      break;
    case "file": {
      const file = openSync(path, "wx");
      for (const piece of contents.take(entry.bytes)) writeWhole(file, piece);
      if (isRoot) fchownSync(file, entry.owner, entry.owner);
      fchmodSync(file, entry.mode);
      futimesSync(file, entry.mtime, entry.mtime);
      closeSync(file);
      break;
    }
    case "symlink":
      symlinkSync(entry.target, path);
      lutimesSync(path, entry.mtime, entry.mtime);
      break;
    case "link":
      linkSync(join(directory, entry.target), path);
      break;
  }
}

function writeWhole(file: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
}
