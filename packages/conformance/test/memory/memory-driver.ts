import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmdirSync } from "node:fs";
import { dirname } from "node:path";
import {
  type ActiveSnapshot,
  assertId,
  type CallOptions,
  type Capabilities,
  type CleanupReport,
  type CommitOptions,
  type DriverOptions,
  errnoCode,
  type Labels,
  type LayerLayout,
  type Mount,
  type MountOptions,
  type PrepareOptions,
  type Problem,
  type Snapshot,
  type SnapshotFilter,
  type SnapshotInfo,
  type SnapshotOptions,
  type StorageDriver,
  StrataError,
  toStrataError,
  type UnmountOptions,
  type Usage,
  type ViewSnapshot,
} from "@strata/core";
import { assertLabels, assertParent, assertQuota, matches } from "./arguments.ts";
import { capabilities } from "./capabilities.ts";
import {
  assertCurrent,
  assertUnmounted,
  depthOf,
  type Entry,
  hasOwnTree,
  infoOf,
  notFound,
} from "./entry.ts";
import { Active, handleOf, View } from "./handles.ts";
import { type Tree, Trees } from "./trees.ts";

/** Implements the interface outright. What changes the state does so without an await, so that nothing needs a lock. */
export class MemoryDriver implements StorageDriver {
  readonly name = "memory";
  readonly root: string;
  readonly capabilities: Capabilities = capabilities;
  readonly trees: Trees;
  protected readonly entries = new Map<string, Entry>();
  /** Keys of what is being made, with its parent. */
  protected readonly making = new Map<string, Entry | undefined>();
  /** What was removed, without a tree if it had that of its parent. */
  readonly #removed: { readonly tree: Tree | undefined }[] = [];
  #closed = false;
  #freed = false;

  constructor(
    { root, durability = "commit" }: DriverOptions,
    trees = (directory: string) => new Trees(directory),
  ) {
    if (typeof root !== "string" || root === "") throw new TypeError("root must be the path of a directory");
    if (durability !== "commit" && durability !== "none") throw new TypeError("durability must be a level");
    try {
      mkdirSync(dirname(root), { recursive: true });
      if (!existsSync(root)) mkdirSync(root, { mode: 0o700 });
      this.root = realpathSync(root);
      // Not in the root, below which nothing stays mounted.
      this.trees = trees(dirname(this.root));
    } catch (error) {
      throw toStrataError(error, `open memory in ${root}`);
    }
  }

  async prepare(key: string, parent?: string, options: PrepareOptions = {}): Promise<ActiveSnapshot> {
    return new Active(this, await this.make("active", key, parent, options));
  }

  async view(key: string, parent?: string, options: SnapshotOptions = {}): Promise<ViewSnapshot> {
    return new View(this, await this.make("view", key, parent, options));
  }

  async open(id: string): Promise<Snapshot> {
    return handleOf(this, this.entry(id));
  }

  async stat(id: string): Promise<SnapshotInfo> {
    return infoOf(this.entry(id));
  }

  async *list(filter: SnapshotFilter = {}): AsyncGenerator<SnapshotInfo> {
    this.assertOpen();
    for (const entry of [...this.entries.values()]) {
      if (!entry.removed && matches(infoOf(entry), filter)) yield infoOf(entry);
    }
  }

  async usage(id: string, options: CallOptions = {}): Promise<Usage> {
    const entry = this.entry(id);
    options.signal?.throwIfAborted();
    return hasOwnTree(entry) ? await this.trees.usage(entry.tree, options) : { bytes: 0, inodes: 0 };
  }

  async setLabels(id: string, labels: Labels): Promise<SnapshotInfo> {
    assertLabels(labels);
    return infoOf(Object.assign(this.entry(id), { labels: { ...labels }, updatedAt: new Date() }));
  }

  async remove(id: string): Promise<void> {
    const entry = this.entry(id);
    assertUnmounted(entry);
    this.assertChildless(entry);
    this.entries.delete(id);
    entry.removed = true;
    this.#removed.push({ tree: hasOwnTree(entry) ? entry.tree : undefined });
  }

  async cleanup(options: CallOptions = {}): Promise<CleanupReport> {
    this.assertOpen();
    const report = { removed: 0, bytes: 0 };
    for (;;) {
      options.signal?.throwIfAborted();
      const removed = this.#removed.shift();
      if (removed === undefined) return report;
      if (removed.tree !== undefined) report.bytes += (await this.trees.destroy(removed.tree, {})).bytes;
      report.removed += 1;
    }
  }

  async check({ signal }: CallOptions = {}): Promise<Problem[]> {
    this.assertOpen();
    signal?.throwIfAborted();
    return [...this.entries.values()]
      .filter(({ tree }) => !existsSync(tree.path))
      .map(({ id }) => ({ subject: id, message: "its tree is gone; remove it and make it anew" }));
  }

  async sync(): Promise<void> {
    this.assertOpen();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const mounts = [...this.entries.values()].flatMap((entry) => [...entry.mounts]);
    for (const mount of mounts) await mount.close();
    if (!this.#freed) this.trees.close();
    this.#freed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // What the handles do.

  layoutOf({ kind, parent, tree }: Entry): LayerLayout {
    return this.trees.layout(kind === "view" && parent ? parent.tree : tree, parent?.tree);
  }

  async commit(entry: Entry, id: string, name: string, options: CommitOptions): Promise<SnapshotInfo> {
    this.assertOpen();
    assertId(name, "name");
    if (options.parent !== undefined) assertId(options.parent, "parent");
    if (options.labels !== undefined) assertLabels(options.labels);
    options.signal?.throwIfAborted();
    assertCurrent(entry, id);
    assertUnmounted(entry);
    const replaced = this.entries.get(name);
    if (!options.replace || replaced?.kind !== "committed") this.assertFree(name);
    assertParent(entry, options.parent);
    if (replaced !== undefined) this.replace(replaced, entry);
    this.entries.delete(id);
    this.entries.set(name, entry);
    const labels = { ...(options.labels ?? entry.labels) };
    return infoOf(Object.assign(entry, { kind: "committed", id: name, labels, updatedAt: new Date() }));
  }

  protected replace(old: Entry, entry: Entry): void {
    for (const child of this.entries.values()) if (child.parent === old) child.parent = entry;
    old.removed = true;
    this.#removed.push({ tree: old.tree });
  }

  async mount(entry: Entry, id: string, { persistent = false }: MountOptions): Promise<Mount> {
    this.assertOpen();
    assertCurrent(entry, id);
    const path = entry.mountedAt ?? this.attach(entry);
    entry.mountedAt = path;
    const mount: Mount = {
      path,
      close: async () => {
        if (!entry.mounts.has(mount)) return;
        if (entry.mounts.size === 1 && !entry.persistent) this.detach(entry, false);
        entry.mounts.delete(mount);
      },
      [Symbol.asyncDispose]: () => mount.close(),
    };
    if (persistent) entry.persistent = true;
    else entry.mounts.add(mount);
    return mount;
  }

  async mountedAt(entry: Entry): Promise<string | undefined> {
    this.assertOpen();
    return entry.mountedAt;
  }

  async unmount(entry: Entry, id: string, { force = false }: UnmountOptions): Promise<boolean> {
    this.assertOpen();
    assertCurrent(entry, id);
    if (!entry.persistent) return false;
    if (entry.mounts.size === 0) this.detach(entry, force);
    entry.persistent = false;
    return true;
  }

  // What broken drivers do otherwise.

  protected async make(
    kind: "active" | "view",
    key: string,
    parentName: string | undefined,
    options: PrepareOptions,
  ): Promise<Entry> {
    this.assertOpen();
    assertId(key, "key");
    if (parentName !== undefined) assertId(parentName, "parent");
    const { labels = {}, quota, signal } = options;
    assertLabels(labels);
    if (quota !== undefined) assertQuota(quota);
    signal?.throwIfAborted();
    this.assertFree(key);
    const parent = parentName === undefined ? undefined : this.parent(parentName);
    this.making.set(key, parent);
    const now = new Date();
    try {
      const tree = kind === "view" && parent ? parent.tree : await this.trees.create(parent?.tree, options);
      const times = { createdAt: now, updatedAt: now };
      const unmounted = { mountedAt: undefined, mounts: new Set<Mount>(), persistent: false };
      const entry = { kind, id: key, parent, labels: { ...labels }, ...times, tree, removed: false };
      this.entries.set(key, { ...entry, ...unmounted });
      return this.entry(key);
    } catch (error) {
      throw toStrataError(error, `make "${key}"`);
    } finally {
      this.making.delete(key);
    }
  }

  protected parent(name: string): Entry {
    const parent = this.entry(name);
    if (parent.kind !== "committed") {
      throw new StrataError("FailedPrecondition", `snapshot "${name}" is ${parent.kind}; commit it first`);
    }
    const depth = depthOf(parent) + 1;
    if (depth <= this.capabilities.maxDepth) return parent;
    throw new StrataError("DepthExceeded", `a snapshot on "${name}" would be number ${depth}; squash some`);
  }

  protected entry(id: string): Entry {
    this.assertOpen();
    assertId(id);
    const entry = this.entries.get(id);
    if (entry === undefined) throw notFound(id);
    return entry;
  }

  protected assertFree(id: string): void {
    if (!this.entries.has(id) && !this.making.has(id)) return;
    throw new StrataError("AlreadyExists", `"${id}" is a key or a name already; choose another`);
  }

  protected assertChildless(entry: Entry): void {
    const made = [...this.entries.values()].find(({ parent }) => parent === entry)?.id;
    const making = [...this.making].find(([, parent]) => parent === entry)?.[0];
    const child = made ?? making;
    if (child === undefined) return;
    throw new StrataError(
      "FailedPrecondition",
      `"${entry.id}" is the parent of "${child}"; remove that first`,
    );
  }

  protected assertOpen(): void {
    if (this.#closed) throw new StrataError("FailedPrecondition", `${this.root}: the driver has been closed`);
  }

  protected attach({ kind, tree }: Entry): string {
    const at = mkdtempSync(`${this.root}/mount-`);
    this.trees.mount(tree, at, kind === "view" ? "view" : "active");
    return at;
  }

  protected detach(entry: Entry, force: boolean): void {
    const { id, mountedAt } = entry;
    if (mountedAt === undefined) return;
    try {
      this.trees.unmount(mountedAt, force);
    } catch (error) {
      if (errnoCode(error) === "EBUSY") {
        throw new StrataError("Busy", `snapshot "${id}" is in use: files are open in it`, { cause: error });
      }
      throw toStrataError(error, `unmount "${id}"`);
    }
    rmdirSync(mountedAt);
    entry.mountedAt = undefined;
  }
}
