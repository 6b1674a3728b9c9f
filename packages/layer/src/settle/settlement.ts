import type { OverlayLayout } from "@strata/core";
import {
  AT_FDCWD,
  close,
  fstatx,
  linkat,
  mknodat,
  O_DIRECTORY,
  O_RDONLY,
  openat,
  S_IFCHR,
  S_IFDIR,
  S_IFMT,
  setxattrat,
  statx,
  statxOrUndefined,
  unlinkat,
} from "@strata/linux";
import { AttributeWriter } from "../apply/attributes.ts";
import { isPlaceholder } from "../apply/overlay-form.ts";
import { isWhiteoutDevice, LowerView } from "../lower-view.ts";
import type { UnresolvedLink } from "../settle.ts";
import { attributesBelow, attributesOf, copyUp } from "./copy-up.ts";
import { findBelow } from "./find-below.ts";
import { keepingTime, MergedPath, takeApart } from "./merged-path.ts";

const self = Buffer.from(".");

/** The steps of settling one layer; see `settleLayer`, which says what they are for. */
export class Settlement implements Disposable {
  readonly #here: MergedPath;
  /** Where links lead. */
  readonly #there: MergedPath;
  readonly #writer = new AttributeWriter("overlay", false);
  /** The path of the copy of a file below, by the file's own path. */
  readonly #copies = new Map<string, string>();
  /** Directories made on the way to copies. */
  readonly #madeParents: string[] = [];

  constructor(layout: OverlayLayout) {
    this.#here = openMerged(layout);
    this.#there = openMerged(layout);
  }

  /** Hide every name below, one by one: the kernel does not look for the opaque mark on a root. */
  hideAllBelow(): void {
    this.#here.goTo([]);
    const { fd, below } = this.#here.current;
    if (fd === undefined || below === undefined) return;
    keepingTime(fd, () => {
      for (const name of below.names()) hide(fd, name);
    });
  }

  /** Remove the marks where nothing is below. */
  removeIdleWhiteouts(paths: readonly string[]): void {
    for (const path of inOrder(paths)) {
      const { parent, name } = takeApart(path);
      if (!this.#here.goTo(parent)) continue;
      const { fd, below } = this.#here.current;
      if (fd === undefined || below?.lookup(name) !== undefined) continue;
      const stat = statxOrUndefined(fd, name);
      // A later entry may have taken its place.
      if (stat !== undefined && isWhiteoutDevice(stat)) keepingTime(fd, () => unlinkat(fd, name));
    }
  }

  /** Make a link to a file below, after copying that up. */
  link(link: UnresolvedLink): void {
    const { parent, name } = takeApart(link.path);
    if (!this.#here.goTo(parent)) return;
    const { fd } = this.#here.current;
    const placeholder = fd === undefined ? undefined : statxOrUndefined(fd, name);
    // A later entry may have taken its place.
    if (fd === undefined || placeholder?.ino !== link.ino || !isPlaceholder(placeholder)) return;
    keepingTime(fd, () => {
      unlinkat(fd, name);
      this.#makeLink(link, fd, name);
      this.#writer.setLinked(fd, name, statx(fd, name), link.attributes);
    });
  }

  /** Give directories without an entry of their own the attributes of those below. Nothing may be changed after. */
  adoptAttributes(paths: readonly string[]): void {
    for (const path of inOrder([...paths, ...this.#madeParents])) {
      if (path === "") this.#adoptRoot();
      else this.#adopt(path);
    }
  }

  [Symbol.dispose](): void {
    this.#here[Symbol.dispose]();
    this.#there[Symbol.dispose]();
  }

  #makeLink(link: UnresolvedLink, dirfd: number, name: Buffer): void {
    const entry = findBelow(this.#there, link);
    const path = [...this.#there.components, entry.name.toString("latin1")].join("/");
    const copy = this.#copies.get(path);
    if (copy !== undefined) {
      const { parent, name: copyName } = takeApart(copy);
      this.#there.goTo(parent);
      linkat(this.#there.current.fd ?? dirfd, copyName, dirfd, name);
      return;
    }
    const { fd } = this.#there.current;
    if (fd !== undefined && statxOrUndefined(fd, entry.name) !== undefined) {
      // Its own name is deleted or taken in this layer.
      copyUp(entry, dirfd, name, this.#writer);
      this.#copies.set(path, link.path);
      return;
    }
    this.#madeParents.push(...this.#there.makeOwn());
    const own = this.#there.current.fd ?? dirfd;
    keepingTime(own, () => copyUp(entry, own, entry.name, this.#writer));
    linkat(own, entry.name, dirfd, name);
    this.#copies.set(path, path);
  }

  #adoptRoot(): void {
    this.#here.goTo([]);
    const { fd, below } = this.#here.current;
    if (fd === undefined || below === undefined) return;
    this.#writer.replaceDirectory(fd, self, attributesOf(below.fd, fstatx(below.fd)));
  }

  #adopt(path: string): void {
    const { parent, name } = takeApart(path);
    if (!this.#here.goTo(parent)) return;
    const { fd, below } = this.#here.current;
    const entry = below?.lookup(name);
    if (fd === undefined || entry === undefined || (entry.stat.mode & S_IFMT) !== S_IFDIR) return;
    this.#writer.replaceDirectory(fd, name, attributesBelow(entry));
  }
}

function openMerged({ dir, lowers }: OverlayLayout): MergedPath {
  const fd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY);
  try {
    return new MergedPath(fd, LowerView.open(lowers, "overlay"));
  } catch (error) {
    close(fd);
    throw error;
  }
}

function hide(dirfd: number, name: Buffer): void {
  const stat = statxOrUndefined(dirfd, name);
  if (stat === undefined) mknodat(dirfd, name, S_IFCHR, { major: 0, minor: 0 });
  else if ((stat.mode & S_IFMT) === S_IFDIR)
    setxattrat(dirfd, name, "trusted.overlay.opaque", Buffer.from("y"));
}

/** So that paths of one directory follow each other. */
function inOrder(paths: readonly string[]): string[] {
  return paths.toSorted((a, b) => compareComponents(a.split("/"), b.split("/")));
}

function compareComponents(a: readonly string[], b: readonly string[]): number {
  for (const [index, name] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    if (name !== other) return name < other ? -1 : 1;
  }
  return a.length - b.length;
}
