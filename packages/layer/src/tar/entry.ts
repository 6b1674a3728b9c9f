import type { Device, Timespec } from "@strata/linux";

/** What a layer can hold. A whiteout is a `file` with a special name; a socket cannot be stored in a tar. */
export type EntryType = "file" | "link" | "symlink" | "char" | "block" | "dir" | "fifo";

/**
 * One entry of a layer's tar stream: what the header and its extensions (PAX, GNU) say together. Names, link
 * targets and xattr values are the archive's own bytes, whatever their encoding.
 */
export interface LayerEntry {
  /** As in the archive: it may begin with `/` or `./`, end with `/`, and hold `..`. */
  readonly path: Buffer;
  readonly type: EntryType;
  /** Permission bits, setuid, setgid and sticky (`0o7777`); no file type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of a regular file, its holes included; 0 for everything else. */
  readonly size: number;
  readonly mtime: Timespec;
  /** The target of a `link` (a path in the layer) or a `symlink` (any bytes); undefined for all other types. */
  readonly linkTarget: Buffer | undefined;
  /** The device number of a `char` or `block`; undefined for all other types. */
  readonly rdev: Device | undefined;
  /** Values by attribute name; a name is a `latin1` string, one character a byte. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
}
