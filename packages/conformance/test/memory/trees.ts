import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmdirSync, statfsSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import {
  type CallOptions,
  type PlainLayout,
  type PrepareOptions,
  type Quota,
  removeTree,
  treeUsage,
  type Usage,
} from "@strata/core";
import {
  AT_FDCWD,
  close,
  fsconfigCreate,
  fsmount,
  fsopen,
  MNT_DETACH,
  MOUNT_ATTR_RDONLY,
  MS_PRIVATE,
  mountSetattr,
  moveMount,
  OPEN_TREE_CLONE,
  openTree,
  UMOUNT_NOFOLLOW,
  umount2,
} from "@strata/linux";
import { TreeCopy } from "./tree-copy.ts";

/** Entries that are copied before others get their turn. */
const stepsATurn = 20;

/** A file tree in memory. */
export interface Tree {
  /** Its root directory. */
  readonly path: string;
  /** The directory that it lies in, with a file system of its own if it is limited. */
  readonly place: string;
  readonly limited: boolean;
}

/** File trees on a tmpfs of their own, each a whole copy of its parent. */
export class Trees {
  readonly #store: string;
  readonly #Copy: typeof TreeCopy;
  #made = 0;

  /** @param directory - they are mounted in it */
  constructor(directory: string, Copy = TreeCopy) {
    this.#Copy = Copy;
    this.#store = mkdtempSync(`${directory}/memory-`);
    mountTmpfs(this.#store);
  }

  async create(parent: Tree | undefined, { quota, signal }: PrepareOptions): Promise<Tree> {
    this.#made += 1;
    const place = `${this.#store}/${this.#made}`;
    const tree = { path: `${place}/tree`, place, limited: quota !== undefined };
    mkdirSync(place, { mode: 0o700 });
    try {
      if (tree.limited) mountTmpfs(place);
      if (parent === undefined) makeRoot(tree.path);
      else await this.copy(parent, tree, { ...(signal && { signal }) });
      if (quota !== undefined) await limit(place, quota);
      return tree;
    } catch (error) {
      await this.destroy(tree, {});
      throw error;
    }
  }

  async copy(from: Tree, to: Tree, { signal }: CallOptions): Promise<void> {
    let steps = 0;
    for (const _ of new this.#Copy().copy(from.path, to.path)) {
      if (++steps % stepsATurn === 0) await setImmediate();
      signal?.throwIfAborted();
    }
  }

  layout({ path }: Tree, base: Tree | undefined): PlainLayout {
    return { format: "plain", dir: path, ...(base && { base: base.path }) };
  }

  mount({ path }: Tree, at: string, kind: "active" | "view"): void {
    const mount = openTree(AT_FDCWD, path, OPEN_TREE_CLONE);
    try {
      mountSetattr(mount, { propagation: MS_PRIVATE, ...(kind === "view" && { set: MOUNT_ATTR_RDONLY }) });
      moveMount(mount, AT_FDCWD, at);
    } finally {
      close(mount);
    }
  }

  unmount(at: string, force: boolean): void {
    umount2(at, UMOUNT_NOFOLLOW | (force ? MNT_DETACH : 0));
  }

  usage({ path }: Tree, options: CallOptions): Promise<Usage> {
    return treeUsage(path, options);
  }

  async destroy({ place, limited }: Tree, options: CallOptions): Promise<Usage> {
    if (!limited) return removeTree(place, options);
    const usage = await treeUsage(place, options);
    umount2(place, MNT_DETACH);
    rmdirSync(place);
    return usage;
  }

  /** All of them go. */
  close(): void {
    umount2(this.#store, MNT_DETACH);
    rmdirSync(this.#store);
  }
}

function makeRoot(path: string): void {
  mkdirSync(path);
  chmodSync(path, 0o755); // Whatever the umask.
}

function mountTmpfs(at: string): void {
  const context = fsopen("tmpfs");
  try {
    fsconfigCreate(context);
    const mount = fsmount(context);
    try {
      moveMount(mount, AT_FDCWD, at);
    } finally {
      close(mount);
    }
  } finally {
    close(context);
  }
}

/** From now on, only so much can be added. */
async function limit(place: string, { bytes, inodes }: Quota): Promise<void> {
  const { bsize, blocks, bfree, files, ffree } = statfsSync(place);
  const options = ["remount"];
  if (bytes !== undefined) options.push(`size=${(blocks - bfree) * bsize + bytes}`);
  if (inodes !== undefined) options.push(`nr_inodes=${files - ffree + inodes}`);
  await promisify(execFile)("mount", ["-o", options.join(","), place]);
}
