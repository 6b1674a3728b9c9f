import type { Labels } from "@strata/core";
import type { Model } from "./model.ts";
import type { Operation, Pick, TreeOperation } from "./operations.ts";
import type { Step } from "./step.ts";
import { type FileNode, isBelow, joinPath, type Tree } from "./tree.ts";
import type { TreeChange, TreeStep } from "./tree-step.ts";

/** What the drivers that take part can all do. */
export interface Abilities {
  readonly ownership: boolean;
  readonly xattrs: boolean;
  readonly readonlyViews: boolean;
}

/**
 * What an operation means to a driver in the state of `model`; undefined, if there is nothing that it could be done to.
 * @param turn - its number, which the times come from
 */
export function resolve(
  operation: Operation,
  model: Model,
  abilities: Abilities,
  turn: number,
): Step | undefined {
  switch (operation.op) {
    case "prepare": {
      const key = choose(operation.id, freeIds(model), allIds);
      const parent = choose(operation.parent, [...model.ids("committed"), undefined], allIds);
      return key === undefined
        ? undefined
        : { call: "prepare", key, ...(parent !== undefined && { parent }), labels: labels(operation.labels) };
    }
    case "view": {
      const key = choose(operation.id, freeIds(model), allIds);
      const parent = choose(operation.parent, model.ids("committed"), allIds);
      if (key === undefined || parent === undefined) return undefined;
      return { call: "view", key, parent, labels: labels(operation.labels) };
    }
    case "commit": {
      const key = choose(operation.on, model.ids("active"), allIds);
      const name = choose(operation.id, freeIds(model), allIds);
      // The interface has no commit for other kinds.
      const kind = key && model.find(key)?.kind;
      if (!key || !name || (kind !== undefined && kind !== "active")) return undefined;
      // To name a parent only now is another matter, see `capabilities.rebase`.
      const prepared = model.find(key)?.parent;
      const parent =
        prepared && at([undefined, undefined, prepared, ...model.ids("committed")], operation.parent);
      const given = operation.labels % 3 === 0 ? { labels: labels(operation.labels) } : {};
      return { call: "commit", key, name, ...(parent !== undefined && { parent }), ...given };
    }
    case "commit again": {
      const name = choose(operation.id, freeIds(model), allIds);
      return name === undefined ? undefined : { call: "commit again", name };
    }
    case "remove": {
      const leaves = model.ids().filter((each) => model.refusals({ call: "remove", id: each }).length === 0);
      const id = choose(operation.on, leaves, allIds);
      return id === undefined ? undefined : { call: "remove", id };
    }
    case "mount":
    case "close mount":
    case "unmount":
      return resolveMount(operation, model);
    case "label": {
      const id = choose(operation.on, model.ids(), allIds);
      return id === undefined ? undefined : { call: "label", id, labels: labels(operation.labels) };
    }
    case "list": {
      const kind = at(["active", "view", "committed", undefined] as const, operation.by);
      const parent = at([undefined, undefined, ...model.ids("committed")], operation.on);
      return {
        call: "list",
        filter: {
          ...(kind && { kind }),
          ...(parent !== undefined && { parent }),
          labels: labels(operation.labels),
        },
      };
    }
    case "cleanup":
    case "reopen":
      return { call: operation.op };
    case "write into view": {
      const key = at(model.ids("view"), operation.on);
      return key && abilities.readonlyViews ? { call: "write into view", key } : undefined;
    }
    default: {
      const key = at(model.ids("active"), operation.on);
      if (key === undefined) return prepareAny(model);
      const now = { sec: 1_600_000_000 + turn, nsec: (turn * 123_456_789) % 1_000_000_000 };
      const change = resolveEdit(operation, model.get(key).tree, abilities);
      const step: TreeStep | undefined = change && { ...change, now, quiet: operation.quiet };
      return step && { call: "edit", key, step };
    }
  }
}

// Few, so that names and keys meet.
const allIds = ["a", "b", "c", "d", "e", "f", "g"];

function freeIds(model: Model): string[] {
  return allIds.filter((id) => model.find(id) === undefined);
}

/** What is done where there is nothing to edit. */
function prepareAny(model: Model): Step | undefined {
  const [key] = freeIds(model);
  const [parent] = model.ids("committed");
  return key === undefined
    ? undefined
    : { call: "prepare", key, ...(parent !== undefined && { parent }), labels: {} };
}

function labels(value: number): Labels {
  return at<Labels>([{}, { colour: "red" }, { colour: "blue" }, { colour: "red", size: "1" }], value) ?? {};
}

function resolveMount(
  { op, on, persistent }: Operation & { readonly op: "mount" | "close mount" | "unmount" },
  model: Model,
): Step | undefined {
  const mountable = [...model.ids("active"), ...model.ids("view")].filter((id) => {
    const snapshot = model.get(id);
    return op === "mount" || (op === "unmount" ? snapshot.persistent : snapshot.mounts > 0);
  });
  const key = choose(on, mountable, op === "close mount" ? mountable : allIds);
  if (key === undefined || model.find(key)?.kind === "committed") return undefined;
  return op === "mount" ? { call: op, key, persistent } : { call: op, key };
}

const directoryNames = ["a", "b", "c", "d"];
/** A name in UTF-8, and one that is not. */
const fileNames = [...directoryNames, "e", "\xc3\xbc b", ".\xff\xfe"];
const modes = [0o644, 0o755, 0o600, 0o4755, 0o2755, 0o2644, 0o1777, 0o6711, 0o000, 0o700];
const owners = [
  { uid: 0, gid: 0 },
  { uid: 1000, gid: 1000 },
  { uid: 7, gid: 0 },
  { uid: 100_000, gid: 65_534 },
];
const attributes = ["user.a", "user.b"];

function resolveEdit(edit: TreeOperation, tree: Tree, abilities: Abilities): TreeChange | undefined {
  const path = pickPath(edit, tree);
  if (path === undefined) return undefined;
  switch (edit.op) {
    case "make": {
      const { type } = edit;
      const device = type === "character device" || type === "block device";
      if (device && !abilities.ownership) return undefined;
      const data = type === "file" ? content(edit.size, edit.bytes) : type === "symlink" ? target(edit) : "";
      const mode = type === "symlink" ? 0o777 : allowed(at(modes, edit.mode) ?? 0, abilities);
      const rdev = device ? { major: 1 + (edit.bytes % 300), minor: edit.size } : { major: 0, minor: 0 };
      const to = joinPath(path, at(type === "directory" ? directoryNames : fileNames, edit.name) ?? "");
      return { change: "make", path: to, type, mode, data, rdev };
    }
    case "overwrite":
    case "append":
      return { change: edit.op, path, data: content(edit.size, edit.bytes) };
    case "same size":
      return { change: "overwrite", path, data: content(tree.get(path).data.length, edit.bytes) };
    case "truncate":
      return { change: "truncate", path, size: edit.size };
    case "link":
    case "copy":
    case "rename": {
      const isDirectory = tree.get(path).type === "directory";
      const directory = at(tree.paths(isOfType("directory")), edit.to) ?? "";
      const to = joinPath(directory, at(isDirectory ? directoryNames : fileNames, edit.name) ?? "");
      return canTake(tree, path, to) ? { change: edit.op, path, to } : undefined;
    }
    case "delete":
      return { change: "remove", path };
    case "chmod":
      return { change: "chmod", path, mode: allowed(at(modes, edit.mode) ?? 0, abilities) };
    case "chown": {
      const owner = at(owners, edit.owner);
      return owner && abilities.ownership ? { change: "chown", path, ...owner } : undefined;
    }
    case "utimes":
      return { change: "utimes", path, mtime: { sec: edit.sec, nsec: edit.nsec } };
    case "xattr": {
      const name = at(attributes, edit.name);
      if (!abilities.xattrs || name === undefined) return undefined;
      if (tree.get(path).xattrs.has(name) && edit.value % 2 === 0) return { change: "xattr", path, name };
      return { change: "xattr", path, name, value: content(edit.value % 30, edit.value) };
    }
  }
}

/** What an edit is done to: for `make`, the directory. */
function pickPath(edit: TreeOperation, tree: Tree): string | undefined {
  const fits = (file: FileNode, path: string) => {
    switch (edit.op) {
      case "make":
        return file.type === "directory";
      case "overwrite":
      case "append":
      case "truncate":
      case "copy":
        return file.type === "file";
      case "same size":
        return file.type === "file" && file.data !== "";
      case "link":
        return file.type !== "directory";
      case "rename":
      case "delete":
        return path !== "";
      case "chmod":
        return file.type !== "symlink";
      case "xattr":
        return file.type === "file" || file.type === "directory";
      default:
        return true;
    }
  };
  return at(tree.paths(fits), edit.at);
}

/** Whether `path` can be put at `to`, as link(2), rename(2) and their tools see it. */
function canTake(tree: Tree, path: string, to: string): boolean {
  const there = tree.find(to);
  if (to === path || isBelow(to, path) || isBelow(path, to)) return false;
  if (there === undefined) return true;
  const [isDirectory, overDirectory] = [tree.get(path).type === "directory", there.type === "directory"];
  return isDirectory === overDirectory && (!overDirectory || tree.below(to).length === 0);
}

function isOfType(type: FileNode["type"]): (file: FileNode) => boolean {
  return (file) => file.type === type;
}

/** An ordinary user keeps the right to read what is his, and has no setuid to give. */
function allowed(mode: number, { ownership }: Abilities): number {
  return ownership ? mode : (mode & 0o777) | 0o700;
}

function content(size: number, bytes: number): string {
  return Array.from({ length: size }, (_, index) => String.fromCharCode((bytes + index * 7) & 0xff)).join("");
}

function target({ size, bytes }: { readonly size: number; readonly bytes: number }): string {
  return at(["a", "../b", "/c/a", "no where", "."], bytes) + "x".repeat(size % 3);
}

function choose<T>({ at: index, wild }: Pick, fitting: readonly T[], all: readonly T[]): T | undefined {
  return at(wild ? all : fitting, index);
}

function at<T>(list: readonly T[], index: number): T | undefined {
  return list[index % list.length];
}
