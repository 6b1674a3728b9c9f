import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { LayerLayout, Mount, SnapshotFilter, SnapshotInfo, StorageDriver } from "@strata/core";
import { changes, diff } from "@strata/layer";
import { rejects } from "../expect.ts";
import type { Model, ModelSnapshot } from "./model.ts";
import { readTree } from "./read-tree.ts";
import { differences, shownPath, type Tree } from "./tree.ts";
import { treeChanges } from "./tree-changes.ts";

/** What a snapshot without changes may hold where it shares its parent's files: the room for its own root. */
const nothing = { bytes: 64 * 1024, inodes: 2 };

/** The key of a view for a moment. */
const viewKey = "inspector";

/** Compares what a driver says with its model. Each method throws AssertionError where they differ. */
export class Inspector {
  readonly #model: Model;
  /** What the diff of a tree against another was. */
  readonly #digests = new WeakMap<Tree, Map<Tree | undefined, string>>();

  constructor(model: Model) {
    this.#model = model;
  }

  /** The digest of a snapshot's diff, if it was looked at as it is now. */
  digest({ tree, base }: ModelSnapshot): string | undefined {
    return this.#digests.get(tree)?.get(base);
  }

  async list(driver: StorageDriver, filter: SnapshotFilter = {}): Promise<void> {
    const listed: string[] = [];
    for await (const info of driver.list(filter)) listed.push(describe(info));
    const expected = this.#model.ids().filter((id) => this.#model.matches(id, filter));
    assert.deepEqual(
      listed.sort(),
      expected.map((id) => describe({ id, ...this.#model.get(id) })).sort(),
      `the list differs (found, expected)`,
    );
  }

  async stat(driver: StorageDriver, id: string): Promise<void> {
    const expected = this.#model.find(id);
    if (expected === undefined) {
      await rejects(driver.stat(id), "NotFound");
      await rejects(driver.open(id), "NotFound");
      await rejects(driver.usage(id), "NotFound");
      return;
    }
    const info = await driver.stat(id);
    assert.equal(describe(info), describe({ id, ...expected }), "stat differs");
    assert(info.updatedAt >= info.createdAt, `${id} was updated before it was created`);
  }

  /**
   * Its tree, changes, diff and usage, mounted and not.
   * @param mounted - a mount of it, which is closed then
   */
  async snapshot(driver: StorageDriver, id: string, mounted?: Mount): Promise<void> {
    const expected = this.#model.get(id);
    const opened = await driver.open(id);
    assert.equal(opened.kind, expected.kind, `the kind of ${id}`);
    assert.equal(opened.parent, expected.parent, `the parent of ${id}`);
    const mountable = opened.kind === "committed" ? await driver.view(viewKey, id) : opened;
    {
      await using mount = mounted ?? (await mountable.mount());
      const lines = differences(expected.tree, readTree(mount.path));
      assert(lines.length === 0, `the tree of ${id} differs:\n  ${lines.join("\n  ")}`);
      if (opened.kind !== "committed") await this.#layer(opened.layout(), id, expected);
    }
    if (opened.kind === "committed") await driver.remove(viewKey);
    await this.#layer(opened.layout(), id, expected);
    await this.#usage(driver, id, expected);
  }

  async #layer(layout: LayerLayout, id: string, { tree, base }: ModelSnapshot): Promise<void> {
    const expected = [...treeChanges(tree, base)].map(([path, kind]) => `${kind} ${shownPath(path)}`).sort();
    const found: string[] = [];
    for await (const { path, kind } of changes(layout)) {
      found.push(`${kind} ${shownPath(path.toString("latin1"))}`);
    }
    assert.deepEqual(found.sort(), expected, `the changes of ${id} differ (found, expected)`);

    const hash = createHash("sha256");
    for await (const chunk of diff(layout)) hash.update(chunk);
    const digest = hash.digest("hex");
    const known = this.#digests.get(tree) ?? new Map<Tree | undefined, string>();
    assert.equal(digest, known.get(base) ?? digest, `the diff of ${id} is not what it was`);
    this.#digests.set(tree, known.set(base, digest));
  }

  async #usage(driver: StorageDriver, id: string, { kind, tree, base }: ModelSnapshot): Promise<void> {
    const usage = await driver.usage(id);
    const shown = `${id} uses ${usage.bytes} bytes, ${usage.inodes} inodes`;
    for (const value of [usage.bytes, usage.inodes]) {
      assert(Number.isSafeInteger(value) && value >= 0, `${shown}, which is no amount`);
    }
    if (kind === "view") return;
    const changed = [...treeChanges(tree, base).keys()].filter(
      (path) => tree.find(path)?.type !== "directory",
    );
    const files = new Set(changed.filter((path) => tree.has(path)).map((path) => tree.names.get(path)));
    assert(usage.inodes >= files.size, `${shown}, but ${files.size} files changed`);
    if (tree !== base || !this.#model.capabilities.sharesParent.supported) return;
    assert(usage.bytes <= nothing.bytes && usage.inodes <= nothing.inodes, `${shown}, but nothing changed`);
  }
}

function describe({
  id,
  kind,
  parent,
  labels,
}: Pick<SnapshotInfo, "id" | "kind" | "labels"> & { parent?: string | undefined }): string {
  const shown = Object.entries(labels)
    .sort()
    .map(([name, value]) => ` ${name}=${value}`);
  return `${kind} ${id}${parent === undefined ? "" : ` on ${parent}`}${shown.join("")}`;
}
