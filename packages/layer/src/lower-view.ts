import {
  AT_FDCWD,
  close,
  type Device,
  type Dirent,
  DT_CHR,
  DT_REG,
  DT_UNKNOWN,
  getxattr,
  getxattrat,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  readdir,
  S_IFCHR,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
  type Stat,
  statxOrUndefined,
} from "@strata/linux";

/** A name as it is seen through layers: that of the nearest layer that has it. */
export interface LowerEntry {
  /** The directory, in that layer, that holds the name; open as long as the {@link LowerView} is. */
  readonly dirfd: number;
  readonly name: Buffer;
  readonly stat: Stat;
}

/** How the layers say that a name is deleted: as overlayfs does, or (one whole tree) not at all. */
export type LowerFormat = "overlay" | "plain";

/**
 * A directory as it is seen through layers laid over each other, without a mount: overlayfs's own rules, read from
 * held descriptors. Its attributes are those of the nearest layer's directory, {@link LowerView.fd}.
 * @see kernel documentation, filesystems/overlayfs, "whiteouts and opaque directories"
 */
export class LowerView implements Disposable {
  readonly #format: LowerFormat;
  readonly #layers: readonly LayerDirectory[];
  #closed = false;

  private constructor(format: LowerFormat, layers: readonly LayerDirectory[]) {
    this.#format = format;
    this.#layers = layers;
  }

  /**
   * The root directory of the layers at `paths`, the nearest first; undefined if there are none. Views are to be
   * closed each by itself.
   */
  static open(paths: readonly string[], format: LowerFormat): LowerView | undefined {
    const layers: LayerDirectory[] = [];
    try {
      for (const path of paths) {
        // An opaque mark on a root is of no effect: the kernel merges the roots without looking for it.
        layers.push(describeLayer(openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY), format));
      }
    } catch (error) {
      closeLayers(layers);
      throw error;
    }
    return layers.length === 0 ? undefined : new LowerView(format, layers);
  }

  /** The nearest layer's directory: readable, and closed with the view. */
  get fd(): number {
    const [nearest] = this.#layers;
    if (nearest === undefined) throw new TypeError("a view of no layers");
    return nearest.fd;
  }

  /** What `name` is, or undefined if no layer has it or a nearer one deletes it. Cost: one statx(2) a layer. */
  lookup(name: Buffer): LowerEntry | undefined {
    for (const layer of this.#layers) {
      const stat = statxOrUndefined(layer.fd, name);
      if (stat === undefined) continue;
      return this.#isWhiteout(layer, name, stat) ? undefined : { dirfd: layer.fd, name, stat };
    }
    return undefined;
  }

  /** The subdirectory `name`, or undefined if there is no such directory. Cost: some system calls a layer. */
  openDirectory(name: Buffer): LowerView | undefined {
    const layers: LayerDirectory[] = [];
    try {
      for (const parent of this.#layers) {
        const stat = statxOrUndefined(parent.fd, name);
        if (stat === undefined) continue;
        // Anything else than a directory, so a whiteout too, hides what is further below.
        if ((stat.mode & S_IFMT) !== S_IFDIR) break;
        const fd = openat(parent.fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        const layer = describeLayer(fd, this.#format);
        layers.push(layer);
        if (layer.opaque) break;
      }
    } catch (error) {
      closeLayers(layers);
      throw error;
    }
    return layers.length === 0 ? undefined : new LowerView(this.#format, layers);
  }

  /** All names, sorted bytewise. Cost: the listings of all layers. */
  names(): Buffer[] {
    const decided = new Set<string>();
    const names: Buffer[] = [];
    for (const layer of this.#layers) {
      for (const entry of readdir(layer.fd)) {
        const key = entry.name.toString("latin1");
        if (decided.has(key)) continue;
        decided.add(key);
        if (!this.#isListedWhiteout(layer, entry)) names.push(entry.name);
      }
    }
    return names.sort(Buffer.compare);
  }

  /** Closing twice is fine. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeLayers(this.#layers);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #isListedWhiteout(layer: LayerDirectory, { name, type }: Dirent): boolean {
    // The listing tells the type, which spares a statx of all that cannot be a whiteout.
    const possible = type === DT_CHR || type === DT_UNKNOWN || (type === DT_REG && layer.xattrWhiteouts);
    if (this.#format === "plain" || !possible) return false;
    const stat = statxOrUndefined(layer.fd, name);
    return stat !== undefined && this.#isWhiteout(layer, name, stat);
  }

  #isWhiteout(layer: LayerDirectory, name: Buffer, stat: Stat): boolean {
    if (this.#format === "plain") return false;
    if (isWhiteoutDevice(stat)) return true;
    return (
      layer.xattrWhiteouts &&
      (stat.mode & S_IFMT) === S_IFREG &&
      stat.size === 0 &&
      getxattrat(layer.fd, name, "trusted.overlay.whiteout") !== undefined
    );
  }
}

/** Whether this is overlayfs's mark of a deleted name: a character device 0/0. */
export function isWhiteoutDevice({ mode, rdev }: { mode: number; rdev: Device }): boolean {
  return (mode & S_IFMT) === S_IFCHR && rdev.major === 0 && rdev.minor === 0;
}

/** Whether an open directory of a layer hides the one below it. */
export function isOpaque(fd: number): boolean {
  return getxattr(fd, opaqueAttribute)?.toString("latin1") === "y";
}

const opaqueAttribute = "trusted.overlay.opaque";

interface LayerDirectory {
  readonly fd: number;
  readonly opaque: boolean;
  /** Empty files with the xattr `trusted.overlay.whiteout` are whiteouts in it (kernel 6.8 and later). */
  readonly xattrWhiteouts: boolean;
}

function describeLayer(fd: number, format: LowerFormat): LayerDirectory {
  if (format === "plain") return { fd, opaque: false, xattrWhiteouts: false };
  try {
    const mark = getxattr(fd, opaqueAttribute)?.toString("latin1");
    return { fd, opaque: mark === "y", xattrWhiteouts: mark === "x" };
  } catch (error) {
    close(fd);
    throw error;
  }
}

function closeLayers(layers: readonly LayerDirectory[]): void {
  for (const { fd } of layers) close(fd);
}
