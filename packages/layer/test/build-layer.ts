/*
 * A second, naive writer of tar: just enough to say anything in a test, right or wrong, in one line an entry.
 */

export interface BuiltEntry {
  /** A string stands for its UTF-8 bytes. */
  path: string | Buffer;
  /** The type flag of the header. */
  type: string;
  mode: number;
  uid: number;
  gid: number;
  /** Whole seconds; fractions by `pax`. */
  mtime: number;
  content: Buffer;
  /** The size in the header, if it is not that of the content. */
  size?: number;
  link: string | Buffer;
  device: readonly [major: number, minor: number];
  /** Records of a PAX header before the entry. */
  pax: Record<string, string | Buffer>;
}

export type EntryOptions = Partial<Omit<BuiltEntry, "path" | "type">>;

/** The time of every entry that a test does not give one. */
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

export const dir = (path: string | Buffer, options?: EntryOptions) => entry(path, "5", options);
export const file = (path: string | Buffer, content = "", options: EntryOptions = {}) =>
  entry(path, "0", { content: Buffer.from(content), ...options });
export const symlink = (path: string | Buffer, link: string | Buffer, options: EntryOptions = {}) =>
  entry(path, "2", { link, mode: 0o777, ...options });
export const link = (path: string | Buffer, target: string | Buffer, options: EntryOptions = {}) =>
  entry(path, "1", { link: target, ...options });
export const char = (path: string, device: [number, number], options: EntryOptions = {}) =>
  entry(path, "3", { device, ...options });
export const fifo = (path: string, options?: EntryOptions) => entry(path, "6", options);
/** The whiteout of `path`. */
export const gone = (path: string) => file(path.replace(/[^/]*$/, ".wh.$&"));
/** The mark that `path` hides what is below. */
export const opaque = (path: string) => file(`${path}/.wh..wh..opq`);

export const xattr = (name: string, value: string | Buffer) => ({ pax: { [`SCHILY.xattr.${name}`]: value } });

/** The archive of some entries. */
export function tar(...entries: BuiltEntry[]): Buffer {
  return Buffer.concat([...entries.map(encode), Buffer.alloc(1024)]);
}

export function encode(built: BuiltEntry): Buffer {
  const pax = { ...built.pax };
  const path = Buffer.from(built.path);
  const target = Buffer.from(built.link);
  if (path.length > 100) pax["path"] ??= path;
  if (target.length > 100) pax["linkpath"] ??= target;
  const records = Buffer.concat(
    Object.entries(pax).map(([keyword, value]) => record(keyword, Buffer.from(value))),
  );
  const extended = records.length === 0 ? [] : [block(entry("pax", "x", { content: records })), pad(records)];
  return Buffer.concat([...extended, block(built), pad(built.content)]);
}

/** One header block. */
export function block(built: BuiltEntry): Buffer {
  const header = Buffer.alloc(512);
  Buffer.from(built.path).copy(header, 0, 0, 100);
  const octal = (value: number, at: number, width: number) =>
    header.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, "latin1");
  octal(built.mode, 100, 8);
  octal(built.uid, 108, 8);
  octal(built.gid, 116, 8);
  octal(built.size ?? built.content.length, 124, 12);
  octal(built.mtime, 136, 12);
  header.write(built.type, 156, "latin1");
  Buffer.from(built.link).copy(header, 157, 0, 100);
  header.write("ustar\u000000", 257, "latin1");
  octal(built.device[0], 329, 8);
  octal(built.device[1], 337, 8);
  return sign(header);
}

/** Put the right checksum into a header that was changed. */
export function sign(header: Buffer): Buffer {
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

export function pad(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

function record(keyword: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${keyword}=`, "latin1"), value, Buffer.from("\n")]);
  let length = rest.length + 1;
  while (`${length}`.length + rest.length !== length) length = `${length}`.length + rest.length;
  return Buffer.concat([Buffer.from(`${length}`), rest]);
}
