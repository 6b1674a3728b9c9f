/** An entry of a layer's archive, right or wrong: what it says is what is written. */
export interface BuiltEntry {
  /** A string stands for its UTF-8 bytes. */
  readonly path: string | Buffer;
  /** The type flag of the header. */
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds; fractions by {@link pax}. */
  readonly mtime: number;
  readonly content: Buffer;
  /** The size in the header. @defaultValue that of the content */
  readonly size?: number;
  readonly link: string | Buffer;
  readonly device: readonly [major: number, minor: number];
  /** Records of a PAX header before the entry, in this order. */
  readonly pax: Readonly<Record<string, string | Buffer>>;
  /** Changes bytes of the header before it gets its checksum. */
  readonly tamper?: (header: Buffer) => void;
}

export type EntryOptions = Partial<Omit<BuiltEntry, "path" | "type">>;

/** The time of every entry that is not given one. */
export const builtTime = 1_000_000_000;

export function entry(path: string | Buffer, type: string, options: EntryOptions = {}): BuiltEntry {
  return {
    path,
    type,
    mode: type === "5" ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    mtime: builtTime,
    content: Buffer.alloc(0),
    link: "",
    device: [0, 0],
    pax: {},
    ...options,
  };
}

export function dir(path: string | Buffer, options?: EntryOptions): BuiltEntry {
  return entry(path, "5", options);
}

export function file(path: string | Buffer, content = "", options: EntryOptions = {}): BuiltEntry {
  return entry(path, "0", { content: Buffer.from(content), ...options });
}

export function symlink(
  path: string | Buffer,
  target: string | Buffer,
  options: EntryOptions = {},
): BuiltEntry {
  return entry(path, "2", { link: target, mode: 0o777, ...options });
}

/** A hard link. */
export function link(path: string | Buffer, target: string | Buffer, options: EntryOptions = {}): BuiltEntry {
  return entry(path, "1", { link: target, ...options });
}

export function fifo(path: string, options?: EntryOptions): BuiltEntry {
  return entry(path, "6", options);
}

/** A character device. */
export function char(
  path: string,
  device: readonly [number, number],
  options: EntryOptions = {},
): BuiltEntry {
  return entry(path, "3", { device, ...options });
}

/** The whiteout of `path`. */
export function gone(path: string): BuiltEntry {
  return file(path.replace(/[^/]*$/, ".wh.$&"), "", { mode: 0, mtime: 0 });
}

/** The mark that `path` hides what is below. */
export function opaque(path: string): BuiltEntry {
  return file(`${path}/.wh..wh..opq`, "", { mode: 0, mtime: 0 });
}

/** For an entry with extended attributes. */
export function xattrs(values: Readonly<Record<string, string | Buffer>>): Pick<BuiltEntry, "pax"> {
  const records = Object.entries(values).map(([name, value]) => [`SCHILY.xattr.${name}`, value] as const);
  return { pax: Object.fromEntries(records) };
}
