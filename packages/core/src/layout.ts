/**
 * Where a snapshot's bytes are on the host: the one thing that apply and diff need to know of a driver.
 * Paths are absolute.
 */
export type LayerLayout = OverlayLayout | PlainLayout;

/**
 * `dir` holds only what this layer changes, in overlayfs's own form: a deleted name is a character device 0/0, a
 * directory that hides the lower one carries the xattr `trusted.overlay.opaque` = `y`.
 * @see kernel documentation, filesystems/overlayfs, "whiteouts and opaque directories"
 */
export interface OverlayLayout {
  readonly format: "overlay";
  readonly dir: string;
  /** The directories below it, the nearest parent's first. Empty for a base layer. */
  readonly lowers: readonly string[];
}

/** `dir` holds the whole tree, `base` the parent's whole tree. */
export interface PlainLayout {
  readonly format: "plain";
  readonly dir: string;
  /** Absent for a base layer. */
  readonly base?: string;
  /**
   * Paths, relative to `dir`, that may have changed against `base`, if the driver can tell without walking both
   * trees. It may name too many, never too few. For a name that was added or removed, it will do to name the directory
   * that holds it; and of what is in an added directory nothing need be named. The root itself always is looked at.
   */
  readonly touched?: () => AsyncIterable<Buffer>;
}
