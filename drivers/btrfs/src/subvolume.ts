import { errnoCode, StrataError } from "@strata/core";
import {
  AT_FDCWD,
  BTRFS_INODE_EXTREF,
  BTRFS_INODE_ITEM,
  BTRFS_INODE_REF,
  BTRFS_ROOT_DIRECTORY,
  BTRFS_ROOT_REF,
  BTRFS_ROOT_TREE,
  type BtrfsInode,
  type BtrfsItem,
  type BtrfsName,
  btrfsSetSubvolReadonly,
  btrfsSubvolDestroy,
  btrfsSubvolInfo,
  btrfsTreeSearch,
  close,
  decodeInodeItem,
  decodeInodeNames,
  decodeRootRef,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  openat2,
  RESOLVE_NO_XDEV,
} from "@strata/linux";

/** The root of a subvolume, open. */
export class Subvolume implements Disposable {
  readonly fd: number;
  readonly #paths = new Map<bigint, Buffer>([[BTRFS_ROOT_DIRECTORY, Buffer.alloc(0)]]);

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** @throws SystemError ENOENT */
  static open(path: string): Subvolume {
    return new Subvolume(openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  /**
   * Open a directory of this one, by its path from the root.
   * @throws StrataError `Busy`, if something is mounted there: what is below the mount cannot be reached
   */
  #openBelow(path: Buffer): Subvolume {
    let fd = openat(this.fd, ".", O_RDONLY | O_DIRECTORY);
    // Name by name: all together may be longer than a path can be.
    for (const name of path.toString("latin1").split("/")) {
      const above = fd;
      try {
        fd = openat2(above, Buffer.from(name, "latin1"), {
          flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
          resolve: RESOLVE_NO_XDEV,
        });
      } catch (error) {
        if (errnoCode(error) !== "EXDEV") throw error;
        const message = `something is mounted at or above "/${path}" in a snapshot; unmount it, then clean up again`;
        throw new StrataError("Busy", message, { cause: error });
      } finally {
        close(above);
      }
    }
    return new Subvolume(fd);
  }

  get info() {
    return btrfsSubvolInfo(this.fd);
  }

  /** Undefined, if there is none of that number. */
  inode(number: bigint): BtrfsInode | undefined {
    const types = [BTRFS_INODE_ITEM, BTRFS_INODE_ITEM] as const;
    const [item] = btrfsTreeSearch(this.fd, { tree: 0n, objects: [number, number], types });
    return item && decodeInodeItem(item);
  }

  /** All names of an inode. */
  names(inode: bigint): BtrfsName[] {
    const types = [BTRFS_INODE_REF, BTRFS_INODE_EXTREF] as const;
    const items = btrfsTreeSearch(this.fd, { tree: 0n, objects: [inode, inode], types });
    return [...items].flatMap((item) => [...decodeInodeNames(item)]);
  }

  /** Where a name is, from the root. */
  pathOf({ directory, name }: BtrfsName): Buffer | undefined {
    const above = this.#pathOfDirectory(directory);
    return above && join(above, name);
  }

  /** Undefined, if the directory has been removed, or moved about, meanwhile. */
  #pathOfDirectory(inode: bigint): Buffer | undefined {
    const chain = new Map<bigint, Buffer>();
    let at = inode;
    let path = this.#paths.get(at);
    while (path === undefined) {
      const [name] = this.names(at);
      if (name === undefined || chain.has(at)) return undefined;
      chain.set(at, name.name);
      at = name.directory;
      path = this.#paths.get(at);
    }
    for (const [below, name] of [...chain].toReversed()) {
      path = join(path, name);
      this.#paths.set(below, path);
    }
    return path;
  }

  /** The ids of this subvolume and of all that are in it, at any depth. */
  *trees(): Generator<bigint, void> {
    const left = [this.info.id];
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      yield id;
      for (const { offset } of this.#references(id)) left.push(offset);
    }
  }

  /** The subvolumes that are directly in this one. */
  *nested(): Generator<NestedSubvolume, void> {
    for (const item of this.#references(this.info.id)) {
      const path = this.pathOf(decodeRootRef(item));
      if (path !== undefined) yield { id: item.offset, path };
    }
  }

  #references(id: bigint): Generator<BtrfsItem, void> {
    const types = [BTRFS_ROOT_REF, BTRFS_ROOT_REF] as const;
    return btrfsTreeSearch(this.fd, { tree: BTRFS_ROOT_TREE, objects: [id, id], types });
  }

  /**
   * Destroy the subvolume and all that are in it, the innermost first: what is interrupted can be repeated.
   * @returns their ids
   * @throws StrataError `Busy`, if something is mounted over one of them
   */
  destroy(): bigint[] {
    const destroyed: bigint[] = [];
    for (const { id, path } of [...this.nested()]) {
      btrfsSetSubvolReadonly(this.fd, false); // In what is read-only, nothing can be removed.
      using nested = this.#openBelow(path);
      if (nested.info.id !== id) continue; // Something else has been put in its place.
      destroyed.push(...nested.destroy());
    }
    const { id } = this.info;
    btrfsSubvolDestroy(this.fd, id);
    return [...destroyed, id];
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }
}

export interface NestedSubvolume {
  readonly id: bigint;
  /** From the root of the subvolume that it is in. */
  readonly path: Buffer;
}

const slash = Buffer.from("/");

/** A name in a directory, where an empty path is the root. */
export function join(directory: Buffer, name: Buffer): Buffer {
  return directory.length === 0 ? name : Buffer.concat([directory, slash, name]);
}
