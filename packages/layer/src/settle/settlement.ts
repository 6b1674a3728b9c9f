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
import { isWhiteoutDevice, type LowerEntry, LowerView } from "../lower-view.ts";
import type { UnresolvedLink } from "../settle.ts";
import { attributesBelow, attributesOf, copyUp } from "./copy-up.ts";
import { findBelow, pathsOf } from "./find-below.ts";
import { keepingTime, MergedPath, takeApart } from "./merged-path.ts";

const self = Buffer.from(".");

/** The steps of settling one layer; see `settleLayer`, which says what they are for. */
export class Settlement implements Disposable {
  readonly #here: MergedPath;
  /** As it was before the layer took anything away: links were made before that, or they were refused. */
  readonly #before: MergedPath;
  readonly #lowers: readonly string[];
  readonly #writer = new AttributeWriter("overlay", false);
  /** The path of the copy of a file below, by the file's inode. */
  readonly #copies = new Map<bigint, string>();
  /** Directories made on the way to copies. */
  readonly #madeParents: string[] = [];
  #opaqueRoot = false;

  constructor(layout: OverlayLayout) {
    this.#lowers = layout.lowers;
    this.#here = openMerged(layout, "now");
    this.#before = openMerged(layout, "before");
  }

  /** Hide every name below, one by one: the kernel does not look for the opaque mark on a root. */
  hideAllBelow(): void {
    this.#here.goTo([]);
    const { fd, below } = this.#here.current;
    if (fd === undefined || below === undefined) return;
    keepingTime(fd, () => {
      for (const name of below.names()) hide(fd, name);
    });
    this.#opaqueRoot = true;
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
    // Also of a link whose place was taken since: whether it is refused must not hang on that.
    const entry = findBelow(this.#before, link);
    const { parent, name } = takeApart(link.path);
    if (!this.#here.goTo(parent) || !this.#holdsPlace(link, name)) return;
    const copy = this.#copies.get(entry.stat.ino) ?? this.#copyToItsNames(entry);
    this.#changeAt(parent, (dirfd) => {
      unlinkat(dirfd, name);
      if (copy === undefined) copyUp(entry, dirfd, name, this.#writer);
      else this.#linkFrom(copy, dirfd, name);
      this.#writer.setLinked(dirfd, name, statx(dirfd, name), link.attributes);
    });
    this.#copies.set(entry.stat.ino, copy ?? link.path);
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
    this.#before[Symbol.dispose]();
  }

  /** Whether the link is still to be made. */
  #holdsPlace({ ino }: UnresolvedLink, name: Buffer): boolean {
    const { fd } = this.#here.current;
    const stat = fd === undefined ? undefined : statxOrUndefined(fd, name);
    return stat !== undefined && stat.ino === ino && isPlaceholder(stat);
  }

  /**
   * Copy a file up to all the names that it has below and that this layer leaves alone: they stay names of one file.
   * @returns the path of one of them; undefined, if there is none
   */
  #copyToItsNames(entry: LowerEntry): string | undefined {
    let copy: string | undefined;
    for (const path of [...pathsOf(entry, this.#before, this.#lowers)]) {
      const { parent, name } = takeApart(path);
      if (!this.#showsThrough(parent, name, entry)) continue;
      this.#madeParents.push(...this.#here.makeOwn());
      const from = copy;
      this.#changeAt(parent, (dirfd) => {
        if (from === undefined) copyUp(entry, dirfd, name, this.#writer);
        else this.#linkFrom(from, dirfd, name);
      });
      copy ??= path;
    }
    return copy;
  }

  #showsThrough(parent: readonly string[], name: Buffer, { stat }: LowerEntry): boolean {
    if (!this.#here.goTo(parent)) return false;
    const { fd, below } = this.#here.current;
    const own = fd !== undefined && statxOrUndefined(fd, name) !== undefined;
    return !own && below?.lookup(name)?.stat.ino === stat.ino;
  }

  /** Change what is in a directory of this layer, which is there. */
  #changeAt(parent: readonly string[], change: (dirfd: number) => void): void {
    this.#here.goTo(parent);
    const { fd } = this.#here.current;
    if (fd === undefined) throw new TypeError("the directory is not in the layer");
    keepingTime(fd, () => change(fd));
  }

  #linkFrom(path: string, dirfd: number, name: Buffer): void {
    const { parent, name: oldName } = takeApart(path);
    // The other cursor holds `dirfd`; and from the root, since directories may have been made since.
    this.#before.goTo([]);
    this.#before.goTo(parent);
    const { fd } = this.#before.current;
    if (fd === undefined) throw new TypeError("the copy is not in the layer");
    linkat(fd, oldName, dirfd, name);
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
    const entry = this.#opaqueRoot && parent.length === 0 ? undefined : below?.lookup(name);
    if (fd === undefined || entry === undefined || (entry.stat.mode & S_IFMT) !== S_IFDIR) return;
    this.#writer.replaceDirectory(fd, name, attributesBelow(entry));
  }
}

function openMerged({ dir, lowers }: OverlayLayout, when: "now" | "before"): MergedPath {
  const fd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY);
  try {
    return new MergedPath(fd, LowerView.open(lowers, "overlay"), when);
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
