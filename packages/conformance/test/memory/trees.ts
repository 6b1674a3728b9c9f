import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmdirSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  type CallOptions,
  type PlainLayout,
  type PrepareOptions,
  type Quota,
  removeTree,
  StrataError,
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
  #made = 0;

  constructor() {
    this.#store = mkdtempSync(join(tmpdir(), "strata-memory-"));
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
      else await this.copy(parent.path, tree.path, { ...(signal && { signal }) });
      if (quota !== undefined) await limit(place, quota);
      return tree;
    } catch (error) {
      await this.destroy(tree, {});
      throw error;
    }
  }

  /** With everything that `cp -a` keeps: hardlinks, holes, extended attributes, times, owners, devices. */
  async copy(from: string, to: string, { signal }: CallOptions): Promise<void> {
    signal?.throwIfAborted();
    await run("cp", ["-a", from, to], signal);
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
  await run("mount", ["-o", options.join(","), place]);
}

async function run(program: string, args: readonly string[], signal?: AbortSignal): Promise<void> {
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, LC_ALL: "C" },
  });
  const stop = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", stop);
  try {
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
    signal?.throwIfAborted();
    if (code === 0) return;
    const full = stderr.includes("No space left");
    throw new StrataError(full ? "NoSpace" : "FailedPrecondition", `${program}: ${stderr}`);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
