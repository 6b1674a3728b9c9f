import { directoryOf, type FileNode, isBelow, Tree } from "./tree.ts";
import { namesChanged, type TreeStep } from "./tree-step.ts";

/** What decides how a tree changes, beside the step. */
export interface Circumstances {
  /** The parent's tree, that the snapshot started from. */
  readonly base: Tree | undefined;
  /** As the capability `hardlinksKeptOnWrite` says. */
  readonly hardlinksKept: boolean;
  /** The owner of what is made. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Whether a directory that was to be renamed had to be copied. */
  readonly copied: boolean;
}

const S_ISUID = 0o4000;
const S_ISGID = 0o2000;
const S_IXGRP = 0o010;

/** An empty tree, as `prepare` makes it without a parent. */
export function emptyTree(owner: Circumstances["owner"], mtime: FileNode["mtime"]): Tree {
  const root: FileNode = { ...plainFile, ...owner, type: "directory", mode: 0o755, mtime };
  return new Tree(new Map([["", 0]]), new Map([[0, root]]));
}

/** The tree after a step. */
export function changeTree(tree: Tree, step: TreeStep, circumstances: Circumstances): Tree {
  const draft = new Draft(tree, circumstances);
  draft.take(step);
  return draft.tree();
}

const plainFile = { data: "", rdev: { major: 0, minor: 0 }, xattrs: new Map<string, string>() };

/** A tree while it is being changed. */
class Draft {
  readonly #names: Map<string, number>;
  readonly #files: Map<number, FileNode>;
  readonly #circumstances: Circumstances;
  #next: number;

  constructor({ names, files }: Tree, circumstances: Circumstances) {
    this.#names = new Map(names);
    this.#files = new Map(files);
    this.#circumstances = circumstances;
    // Never the number of a file of the parent, though it may be gone from here.
    this.#next = 1 + Math.max(...files.keys(), ...(circumstances.base?.files.keys() ?? []));
  }

  /** Without files that have no name any more. */
  tree(): Tree {
    const named = new Set(this.#names.values());
    return new Tree(this.#names, new Map([...this.#files].filter(([id]) => named.has(id))));
  }

  take(step: TreeStep): void {
    this.#change(step);
    if (step.quiet) return;
    for (const path of namesChanged(step)) this.#update(directoryOf(path), { mtime: step.now });
  }

  #change(step: TreeStep): void {
    switch (step.change) {
      case "make": {
        const { path, type, mode, data, rdev, now: mtime } = step;
        this.#remove(path);
        this.#add(path, { ...plainFile, ...this.#circumstances.owner, type, mode, data, rdev, mtime });
        break;
      }
      case "overwrite":
        this.#write(step, step.data);
        break;
      case "append":
        this.#write(step, this.#file(step.path).data + step.data);
        break;
      case "truncate":
        this.#write(step, this.#file(step.path).data.slice(0, step.size).padEnd(step.size, "\0"));
        break;
      case "link":
        this.#remove(step.to);
        this.#names.set(step.to, this.#own(step.path));
        break;
      case "copy":
        this.#remove(step.to);
        this.#add(step.to, this.#file(step.path));
        break;
      case "rename":
        this.#rename(step.path, step.to);
        break;
      case "remove":
        this.#remove(step.path);
        break;
      case "chmod":
        this.#update(step.path, { mode: step.mode });
        break;
      case "chown": {
        const { type, mode } = this.#file(step.path);
        const { uid, gid } = step;
        // chown(2): the kernel takes setuid and setgid from files that could be executed with them.
        const lost = type === "directory" ? 0 : S_ISUID | ((mode & S_IXGRP) === 0 ? 0 : S_ISGID);
        this.#update(step.path, { uid, gid, mode: mode & ~lost });
        break;
      }
      case "utimes":
        this.#update(step.path, { mtime: step.mtime });
        break;
      case "xattr": {
        const xattrs = new Map(this.#file(step.path).xattrs);
        if (step.value === undefined) xattrs.delete(step.name);
        else xattrs.set(step.name, step.value);
        this.#update(step.path, { xattrs });
        break;
      }
    }
  }

  #write({ path, now, quiet }: TreeStep, data: string): void {
    this.#update(path, { data, mtime: quiet ? this.#file(path).mtime : now });
  }

  #rename(path: string, to: string): void {
    const isDirectory = this.#file(path).type === "directory";
    if (this.#id(path) === this.#names.get(to)) {
      this.#names.delete(path);
      return;
    }
    this.#remove(to);
    if (isDirectory && this.#circumstances.copied) this.#renew([path, ...this.#below(path)]);
    const moving = [path, ...this.#below(path)];
    for (const from of moving) {
      const id = isDirectory ? this.#id(from) : this.#own(from);
      this.#names.set(to + from.slice(path.length), id);
      this.#names.delete(from);
    }
  }

  /** Other files take the place of these: names that were one file still are, but not with names elsewhere. */
  #renew(paths: readonly string[]): void {
    const copies = new Map<number, number>();
    for (const path of paths) {
      const id = this.#id(path);
      const copy = copies.get(id);
      if (copy === undefined) copies.set(id, this.#add(path, this.#file(path)));
      else this.#names.set(path, copy);
    }
  }

  #remove(path: string): void {
    for (const each of [path, ...this.#below(path)]) this.#names.delete(each);
  }

  #update(path: string, change: Partial<FileNode>): void {
    const id = this.#own(path);
    this.#files.set(id, { ...this.#file(path), ...change });
  }

  /**
   * The file that a name stands for, as it is when something has been done to it. Where hardlinks are not kept, the
   * first change of a parent's file by one name makes that name a file of its own.
   */
  #own(path: string): number {
    const id = this.#id(path);
    const { base, hardlinksKept } = this.#circumstances;
    if (hardlinksKept || base?.files.has(id) !== true || this.#file(path).type === "directory") return id;
    return this.#add(path, this.#file(path));
  }

  #add(path: string, file: FileNode): number {
    const id = this.#next++;
    this.#names.set(path, id);
    this.#files.set(id, file);
    return id;
  }

  #below(directory: string): string[] {
    return [...this.#names.keys()].filter((path) => isBelow(path, directory));
  }

  #id(path: string): number {
    const id = this.#names.get(path);
    if (id === undefined) throw new Error(`there is no /${path} in the tree`);
    return id;
  }

  #file(path: string): FileNode {
    const file = this.#files.get(this.#id(path));
    if (file === undefined) throw new Error(`/${path} is the name of no file`);
    return file;
  }
}
