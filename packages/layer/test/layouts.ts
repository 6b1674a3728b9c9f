import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LayerLayout, OverlayLayout, PlainLayout } from "@strata/core";
import { changes, diff } from "@strata/layer";
import {
  AT_FDCWD,
  close,
  fchmod,
  fchown,
  fstatx,
  futimens,
  getxattr,
  listxattr,
  O_DIRECTORY,
  O_RDONLY,
  openat,
  readdir,
  S_IFDIR,
  S_IFMT,
  setxattr,
  statx,
  type Timespec,
  utimensat,
} from "@strata/linux";
import { afterEach, beforeEach, expect } from "vitest";
import { mountOverlay } from "./overlay-mount.ts";
import { readTar, type TarEntry } from "./read-tar.ts";

/** What is done to a tree: a shell script that runs in it, or a function of its path. */
export type Edit = string | ((tree: string) => void);

/** One change, as both kinds of driver keep it. */
export interface Layouts {
  readonly overlay: OverlayLayout;
  readonly plain: PlainLayout;
}

/** What one change is, once both layouts have agreed on it. */
export interface Agreed {
  /** `A path`, `C path`, `D path` as docker prints them; the root as `C .`. */
  readonly changes: string[];
  readonly bytes: Buffer;
  readonly entries: TarEntry[];
  readonly layouts: Layouts;
}

/** A directory of each test's own. */
export interface Scratch {
  path: string;
  directory(name: string): string;
}

export function useScratch(): Scratch {
  const scratch: Scratch = {
    path: "",
    directory(name) {
      const path = join(scratch.path, name);
      mkdirSync(path, { recursive: true });
      return path;
    },
  };
  beforeEach(() => {
    scratch.path = mkdtempSync(join(tmpdir(), "strata-layer-"));
  });
  afterEach(() => execFileSync("rm", ["-rf", scratch.path]));
  return scratch;
}

export function edit(tree: string, change: Edit): void {
  if (typeof change === "function") change(tree);
  else
    execFileSync("bash", ["-euc", `umask 022; ${change}`], {
      cwd: tree,
      stdio: ["ignore", "ignore", "inherit"],
    });
}

/** What everything in a base has been modified at, unless it was given a time of its own. */
export const baseTime = { sec: 1_500_000_000, nsec: 987_654_321 };
const changedTime = { sec: 1_600_000_000, nsec: 123_456_789 };

/**
 * Make the same change twice: through an overlay mount over `base`, and in a second `base`. Whatever the change leaves with
 * a time of now gets one fixed time, so that both can be equal.
 */
export function makeLayouts(scratch: Scratch, base: Edit, change: Edit): Layouts {
  const lower = scratch.directory("lower");
  edit(lower, base);
  settleTimes(lower, baseTime);

  const plain = scratch.directory("plain");
  edit(plain, base);
  settleTimes(plain, baseTime);
  edit(plain, change);
  settleTimes(plain, changedTime);

  const upper = { dir: upperOver(scratch, "upper", lower), work: scratch.directory("work") };
  const merged = scratch.directory("merged");
  {
    using _mount = mountOverlay({ lowers: [lower], upper }, merged);
    edit(merged, change);
    settleTimes(merged, changedTime);
  }
  return {
    overlay: { format: "overlay", dir: upper.dir, lowers: [lower] },
    plain: { format: "plain", dir: plain, base: lower },
  };
}

/** An empty directory with the attributes of the root it goes over, as drivers make it. */
export function upperOver(scratch: Scratch, name: string, lower: string): string {
  const dir = scratch.directory(name);
  const [from, to] = [lower, dir].map((path) => openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
  if (from === undefined || to === undefined) throw new Error("unreachable");
  const { uid, gid, mode, mtime } = fstatx(from);
  fchown(to, uid, gid);
  fchmod(to, mode & 0o7777);
  for (const attribute of listxattr(from)) {
    const value = getxattr(from, attribute);
    if (value !== undefined) setxattr(to, attribute, value);
  }
  futimens(to, mtime);
  close(from);
  close(to);
  return dir;
}

const startedAt = Math.floor(Date.now() / 1000) - 10;
const endsBefore = startedAt + 86_400;

/** Give everything that was modified since the tests began the time `mtime`. */
export function settleTimes(tree: string, mtime: Timespec): void {
  const fd = openat(AT_FDCWD, tree, O_RDONLY | O_DIRECTORY);
  settle(fd, mtime);
  if (isRecent(fstatx(fd).mtime)) futimens(fd, mtime);
  close(fd);
}

function settle(directory: number, mtime: Timespec): void {
  for (const { name } of readdir(directory)) {
    const stat = statx(directory, name);
    if ((stat.mode & S_IFMT) === S_IFDIR) {
      const fd = openat(directory, name, O_RDONLY | O_DIRECTORY);
      settle(fd, mtime);
      close(fd);
    }
    if (isRecent(stat.mtime)) utimensat(directory, name, mtime);
  }
}

function isRecent({ sec }: Timespec): boolean {
  return sec >= startedAt && sec < endsBefore;
}

/** Read a layout's changes, as docker prints them; the root is `.`. */
export async function listChanges(layout: LayerLayout): Promise<string[]> {
  const lines: string[] = [];
  const letters = { added: "A", modified: "C", deleted: "D" };
  for await (const { path, kind } of changes(layout)) {
    lines.push(`${letters[kind]} ${path.length === 0 ? "." : path.toString("latin1")}`);
  }
  return lines;
}

export async function readDiff(layout: LayerLayout): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of diff(layout)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Make a change under both layouts, and see that they agree on what it is, to the last byte, each time. */
export async function agree(scratch: Scratch, base: Edit, change: Edit): Promise<Agreed> {
  const layouts = makeLayouts(scratch, base, change);
  const listed = await listChanges(layouts.plain);
  expect(await listChanges(layouts.overlay), "changes of overlay and plain").toEqual(listed);
  const bytes = await readDiff(layouts.plain);
  const entries = readTar(bytes);
  // Lists of names first: they tell more than the bytes do when something is wrong.
  const overlayBytes = await readDiff(layouts.overlay);
  expect(names(readTar(overlayBytes)), "diff of overlay and plain").toEqual(names(entries));
  expect(overlayBytes.equals(bytes), "the same bytes from overlay and plain").toBe(true);
  expect((await readDiff(layouts.overlay)).equals(bytes), "the same bytes each time").toBe(true);
  return { changes: listed, bytes, entries, layouts };
}

/** What is in an archive: each path, with what it links to. */
export function names(entries: readonly TarEntry[]): string[] {
  return entries.map(({ path, type, link }) => (type === "link" ? `${path} = ${link}` : path));
}
