import type { Capabilities, ErrorCode, Labels, SnapshotFilter, SnapshotKind } from "@strata/core";
import { caller } from "./change-disk.ts";
import { changeTree, emptyTree } from "./change-tree.ts";
import type { Step } from "./step.ts";
import type { Tree } from "./tree.ts";
import type { TreeStep } from "./tree-step.ts";

/** A snapshot, as it must be. */
export interface ModelSnapshot {
  readonly kind: SnapshotKind;
  readonly parent: string | undefined;
  readonly labels: Labels;
  readonly tree: Tree;
  /** The parent's tree. */
  readonly base: Tree | undefined;
  /** How many mounts are kept. */
  readonly mounts: number;
  readonly persistent: boolean;
}

/** The time of the root of a tree that starts empty. */
export const firstTime = { sec: 1_500_000_000, nsec: 1 };

/** What a driver must be after all that was done to it: the whole of its promises that the random operations ask for. */
export class Model {
  readonly capabilities: Capabilities;
  readonly #snapshots = new Map<string, ModelSnapshot>();
  /** The name of the last that was committed by the driver as it is open now, as long as it is there. */
  #lastCommitted: string | undefined;

  constructor(capabilities: Capabilities) {
    this.capabilities = capabilities;
  }

  /** All ids, the newest first; with a kind, those of that kind. */
  ids(kind?: SnapshotKind): string[] {
    return [...this.#snapshots]
      .filter(([, snapshot]) => kind === undefined || snapshot.kind === kind)
      .map(([id]) => id)
      .reverse();
  }

  find(id: string): ModelSnapshot | undefined {
    return this.#snapshots.get(id);
  }

  get(id: string): ModelSnapshot {
    const snapshot = this.find(id);
    if (snapshot === undefined) throw new Error(`the model has no ${id}`);
    return snapshot;
  }

  hasChildren(id: string): boolean {
    return [...this.#snapshots.values()].some(({ parent }) => parent === id);
  }

  matches(id: string, { kind, parent, labels = {} }: SnapshotFilter): boolean {
    const snapshot = this.get(id);
    return (
      (kind === undefined || snapshot.kind === kind) &&
      (parent === undefined || snapshot.parent === parent) &&
      Object.entries(labels).every(([name, value]) => snapshot.labels[name] === value)
    );
  }

  /** The codes a step may be refused with, each for a reason of its own. None: it must succeed. */
  refusals(step: Step): readonly ErrorCode[] {
    switch (step.call) {
      case "prepare":
      case "view":
        return [...this.#taken(step.key), ...this.#noParent(step.parent)];
      case "commit":
        return [
          ...this.#missing(step.key),
          ...this.#taken(step.name),
          ...this.#mounted(step.key),
          ...this.#otherParent(step.key, step.parent),
        ];
      case "commit again":
        return [
          this.#lastCommitted === undefined ? "NotFound" : "FailedPrecondition",
          ...this.#taken(step.name),
        ];
      case "remove":
        return [
          ...this.#missing(step.id),
          ...this.#mounted(step.id),
          ...(this.hasChildren(step.id) ? (["FailedPrecondition"] as const) : []),
        ];
      case "mount":
      case "close mount":
      case "unmount":
      case "edit":
      case "write into view":
        return this.#missing(step.key);
      case "label":
        return this.#missing(step.id);
      default:
        return [];
    }
  }

  /** Whether a driver may refuse to rename a directory, so that it has to be copied: if it is its parent's own. */
  mayCopy(key: string, { change, path }: TreeStep): boolean {
    const { base, tree } = this.get(key);
    const id = tree.names.get(path);
    return (
      change === "rename" &&
      tree.get(path).type === "directory" &&
      this.capabilities.sharesParent.supported &&
      id !== undefined &&
      base?.files.has(id) === true
    );
  }

  /** A step that succeeded. @param copied - see {@link mayCopy} */
  take(step: Step, copied: boolean): void {
    switch (step.call) {
      case "prepare":
        this.#start("active", step);
        break;
      case "view":
        this.#start("view", step);
        break;
      case "commit": {
        const snapshot = this.get(step.key);
        this.#snapshots.delete(step.key);
        this.#snapshots.set(step.name, {
          ...snapshot,
          kind: "committed",
          labels: step.labels ?? snapshot.labels,
        });
        this.#lastCommitted = step.name;
        break;
      }
      case "remove":
        this.#snapshots.delete(step.id);
        if (this.#lastCommitted === step.id) this.#lastCommitted = undefined;
        break;
      case "mount":
        if (step.persistent) this.#update(step.key, { persistent: true });
        else this.#update(step.key, { mounts: this.get(step.key).mounts + 1 });
        break;
      case "close mount":
        this.#update(step.key, { mounts: this.get(step.key).mounts - 1 });
        break;
      case "unmount":
        this.#update(step.key, { persistent: false });
        break;
      case "label":
        this.#update(step.id, { labels: step.labels });
        break;
      case "reopen":
        for (const id of this.ids()) this.#update(id, { mounts: 0 });
        this.#lastCommitted = undefined;
        break;
      case "edit": {
        const { tree, base } = this.get(step.key);
        const hardlinksKept = this.capabilities.hardlinksKeptOnWrite.supported;
        const circumstances = { base, hardlinksKept, owner: caller, copied };
        this.#update(step.key, { tree: changeTree(tree, step.step, circumstances) });
        break;
      }
    }
  }

  #start(kind: "active" | "view", step: { key: string; parent?: string; labels: Labels }): void {
    const { key, parent, labels } = step;
    const base = parent === undefined ? undefined : this.get(parent).tree;
    const tree = base ?? emptyTree(caller, firstTime);
    this.#snapshots.set(key, { kind, parent, labels, tree, base, mounts: 0, persistent: false });
  }

  #update(id: string, change: Partial<ModelSnapshot>): void {
    this.#snapshots.set(id, { ...this.get(id), ...change });
  }

  #missing(id: string): readonly ErrorCode[] {
    return this.#snapshots.has(id) ? [] : ["NotFound"];
  }

  #taken(id: string): readonly ErrorCode[] {
    return this.#snapshots.has(id) ? ["AlreadyExists"] : [];
  }

  #noParent(id: string | undefined): readonly ErrorCode[] {
    if (id === undefined) return [];
    const parent = this.find(id);
    if (parent === undefined) return ["NotFound"];
    return parent.kind === "committed" ? [] : ["FailedPrecondition"];
  }

  #mounted(id: string): readonly ErrorCode[] {
    const snapshot = this.find(id);
    return snapshot !== undefined && (snapshot.mounts > 0 || snapshot.persistent) ? ["Busy"] : [];
  }

  #otherParent(key: string, parent: string | undefined): readonly ErrorCode[] {
    const prepared = this.find(key)?.parent;
    if (parent === undefined || prepared === undefined || parent === prepared) return [];
    return ["FailedPrecondition", ...this.#noParent(parent)];
  }
}
