import { close, O_DIRECTORY, O_RDONLY, openat, readdir } from "@strata/linux";
import { nothingUnresolved, type Unresolved } from "../settle.ts";
import type { Directories, Directory } from "./directories.ts";
import type { LayerForm } from "./layer-form.ts";
import { removeAt } from "./remove-at.ts";

/** A layer written into a copy of the tree below: what it takes away is removed. */
export class PlainForm implements LayerForm {
  readonly xattrForm = "plain";
  readonly #directories: Directories;

  constructor(directories: Directories) {
    this.#directories = directories;
  }

  isOwn({ own }: Directory, name: string): boolean {
    return own === undefined || own.has(name);
  }

  madeInstead(): void {
    // What stood there is removed, so there is nothing to merge with.
  }

  whiteout(directory: Directory, name: string): void {
    const child = directory.children.get(name);
    if (child !== undefined) {
      this.#disinherit(child);
    } else if (!this.isOwn(directory, name)) {
      removeAt(this.#directories.fd(directory), Buffer.from(name, "latin1"));
    }
  }

  makeOpaque(directory: Directory): void {
    const { own, children } = directory;
    if (own === undefined) return;
    for (const name of this.#names(directory)) {
      const key = name.toString("latin1");
      const child = children.get(key);
      if (child !== undefined) this.#disinherit(child);
      else if (!own.has(key)) removeAt(this.#directories.fd(directory), name);
    }
    directory.own = undefined;
  }

  lowerTarget(): undefined {
    return undefined;
  }

  deferLink(): never {
    throw new TypeError("a plain layer has all of the layer below in it");
  }

  unresolved(): Unresolved {
    return nothingUnresolved;
  }

  /** The layer below has no such directory any more: neither its names nor its attributes remain. */
  #disinherit(directory: Directory): void {
    this.makeOpaque(directory);
    directory.kept = undefined;
  }

  #names(directory: Directory): Buffer[] {
    const fd = openat(this.#directories.fd(directory), ".", O_RDONLY | O_DIRECTORY);
    try {
      return readdir(fd).map((entry) => entry.name);
    } finally {
      close(fd);
    }
  }
}
