/** One entry of an archive, read by a second, naive implementation: ustar and PAX as POSIX describes them. */
export interface TarEntry {
  path: string;
  type: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  /** As in the archive: octal seconds in decimal, or the PAX value. */
  mtime: string;
  link: string;
  device: string;
  /** Keywords of the PAX header, `latin1` values. */
  pax: Record<string, string>;
  content: Buffer;
}

const typeNames: Record<string, string> = {
  "0": "file",
  "1": "link",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "dir",
  "6": "fifo",
};

/** Names and values come as `latin1`. Throws if the archive is not well formed to its last byte. */
export function readTar(bytes: Buffer): TarEntry[] {
  const entries: TarEntry[] = [];
  let pax: Record<string, string> = {};
  let at = 0;
  for (; !isZero(bytes.subarray(at, at + 512)); ) {
    const block = bytes.subarray(at, at + 512);
    const text = (from: number, to: number) => block.toString("latin1", from, to).replace(/\0.*$/s, "");
    const number = (from: number, to: number) => Number.parseInt(text(from, to), 8);
    const expected = number(148, 156);
    const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
    if (sum !== expected) throw new Error(`checksum ${expected} at ${at}, computed ${sum}`);
    if (text(257, 263) !== "ustar") throw new Error(`no ustar magic at ${at}`);
    const type = text(156, 157);
    const size = Number(type === "x" ? number(124, 136) : (pax["size"] ?? number(124, 136)));
    const content = bytes.subarray(at + 512, at + 512 + size);
    if (content.length !== size) throw new Error(`content of ${text(0, 100)} is cut`);
    at += 512 + Math.ceil(size / 512) * 512;
    if (type === "x") {
      pax = readPax(content);
      continue;
    }
    entries.push({
      path: pax["path"] ?? text(0, 100),
      type: typeNames[type] ?? type,
      mode: number(100, 108),
      uid: Number(pax["uid"] ?? number(108, 116)),
      gid: Number(pax["gid"] ?? number(116, 124)),
      size,
      mtime: pax["mtime"] ?? `${number(136, 148)}`,
      link: pax["linkpath"] ?? text(157, 257),
      device: `${number(329, 337)}:${number(337, 345)}`,
      pax,
      content,
    });
    pax = {};
  }
  if (!isZero(bytes.subarray(at)) || bytes.length - at !== 1024) throw new Error("no proper end of archive");
  return entries;
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

function readPax(body: Buffer): Record<string, string> {
  const records: Record<string, string> = {};
  for (let at = 0; at < body.length; ) {
    const length = Number.parseInt(body.toString("latin1", at, body.indexOf(" ", at)), 10);
    const record = body.toString("latin1", body.indexOf(" ", at) + 1, at + length);
    const equals = record.indexOf("=");
    if (!record.endsWith("\n")) throw new Error(`record without newline at ${at}`);
    records[record.slice(0, equals)] = record.slice(equals + 1, -1);
    at += length;
  }
  return records;
}
