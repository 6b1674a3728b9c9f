import {
  close,
  fstatx,
  mkdirat,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  S_IFDIR,
  S_IFMT,
  type Stat,
  statxOrUndefined,
  utimensat,
} from "@strata/linux";
import { isOpaque, isWhiteoutDevice, type LowerView } from "../lower-view.ts";

/** A directory of the layer at hand, seen together with what is below it. */
export interface MergedDirectory {
  /** Its name in the one before; empty for the root. */
  readonly name: string;
  /** In the layer itself; undefined, if it is only below. */
  readonly fd: number | undefined;
  /** What shows through from below; undefined, if nothing does. */
  readonly below: LowerView | undefined;
}

/**
 * A path into a layer and the layers below it, as a stack of open directories. Going to a path near the last one opens
 * only what is new, so a sorted list of paths costs about one open each, and holds no more than one path's depth.
 */
export class MergedPath implements Disposable {
  readonly #stack: MergedDirectory[];
  readonly #when: "now" | "before";

  /**
   * Takes `fd` and `below` over, to close them.
   * @param when - `before`: what the layer marks as deleted still counts as there
   */
  constructor(fd: number, below: LowerView | undefined, when: "now" | "before") {
    this.#stack = [{ name: "", fd, below }];
    this.#when = when;
  }

  /** Where it stands. */
  get current(): MergedDirectory {
    const current = this.#stack.at(-1);
    if (current === undefined) throw new TypeError("the path is closed");
    return current;
  }

  /** The names from the root to where it stands. */
  get components(): string[] {
    return this.#stack.slice(1).map(({ name }) => name);
  }

  /** Go to a directory, by names and through no symlink. @returns whether it is there */
  goTo(components: readonly string[]): boolean {
    let common = 0;
    while (common < components.length && this.#stack[common + 1]?.name === components[common]) common++;
    while (this.#stack.length > common + 1) this.up();
    return components.slice(common).every((name) => this.down(name));
  }

  /** Go to the directory `name` in the current one. @returns whether there is one */
  down(name: string): boolean {
    const bytes = Buffer.from(name, "latin1");
    const stat = this.statOwn(bytes);
    if (stat !== undefined && (stat.mode & S_IFMT) !== S_IFDIR) return false;
    const { fd, below } = this.current;
    const own =
      stat === undefined || fd === undefined
        ? undefined
        : openat(fd, bytes, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    const hidden = this.#when === "now" && own !== undefined && isOpaque(own);
    const view = hidden ? undefined : below?.openDirectory(bytes);
    if (own === undefined && view === undefined) return false;
    this.#stack.push({ name, fd: own, below: view });
    return true;
  }

  /** What the layer itself has at `name` in the current directory. */
  statOwn(name: Buffer): Stat | undefined {
    const { fd } = this.current;
    const stat = fd === undefined ? undefined : statxOrUndefined(fd, name);
    return this.#when === "before" && stat !== undefined && isWhiteoutDevice(stat) ? undefined : stat;
  }

  /**
   * Make the directories that are only below in the layer too, so that something can be put into the current one.
   * @returns their paths; they have no attributes yet
   */
  makeOwn(): string[] {
    const made: string[] = [];
    let parent: number | undefined;
    for (const [index, directory] of this.#stack.entries()) {
      if (directory.fd === undefined && parent !== undefined) {
        const fd = makeDirectory(parent, Buffer.from(directory.name, "latin1"));
        this.#stack[index] = { ...directory, fd };
        made.push(this.components.slice(0, index).join("/"));
      }
      parent = this.#stack[index]?.fd;
    }
    return made;
  }

  /** Go to the parent; from the root, nowhere. */
  up(): void {
    if (this.#stack.length === 1) return;
    const left = this.#stack.pop();
    if (left !== undefined) closeDirectory(left);
  }

  /** Go back to the root. */
  top(): void {
    while (this.#stack.length > 1) this.up();
  }

  [Symbol.dispose](): void {
    for (const directory of this.#stack.splice(0)) closeDirectory(directory);
  }
}

function makeDirectory(parent: number, name: Buffer): number {
  return keepingTime(parent, () => {
    mkdirat(parent, name, 0o700);
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  });
}

/** Change what is in a directory, and leave its modification time as it was. */
export function keepingTime<T>(dirfd: number, change: () => T): T {
  const { mtime } = fstatx(dirfd);
  const result = change();
  utimensat(dirfd, self, mtime);
  return result;
}
const self = Buffer.from(".");

function closeDirectory({ fd, below }: MergedDirectory): void {
  if (fd !== undefined) close(fd);
  below?.close();
}

/** A path that is clean already, as the names of its directories and its last name. */
export function takeApart(path: string): { parent: string[]; name: Buffer } {
  const parent = path.split("/");
  return { name: Buffer.from(parent.pop() ?? "", "latin1"), parent };
}
