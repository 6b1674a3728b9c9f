import assert from "node:assert/strict";

/** An entry as a second, naive reader of tar sees it. Names and PAX values are `latin1`, one character a byte. */
export interface ListedEntry {
  readonly path: string;
  /** The type flag. */
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds in decimal, with a fraction where PAX has one. */
  readonly mtime: string;
  readonly link: string;
  readonly device: string;
  /** Its extended attributes. */
  readonly xattrs: Readonly<Record<string, string>>;
  readonly content: Buffer;
}

/** Read an archive of ustar and PAX headers. Fails, if it is not well formed to its last byte. */
export function listTar(bytes: Buffer): ListedEntry[] {
  const entries: ListedEntry[] = [];
  let pax = new Map<string, string>();
  let at = 0;
  for (; !isZero(bytes.subarray(at, at + 512)); ) {
    const block = bytes.subarray(at, at + 512);
    const text = (from: number, to: number) => block.toString("latin1", from, to).replace(/\0.*$/s, "");
    const number = (from: number, to: number) => Number.parseInt(text(from, to), 8);
    const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
    assert.equal(number(148, 156), sum, `the checksum of the header at ${at}`);
    assert.equal(text(257, 263), "ustar", `the magic of the header at ${at}`);
    const type = text(156, 157);
    const size = Number(pax.get("size") ?? number(124, 136));
    const content = bytes.subarray(at + 512, at + 512 + size);
    assert.equal(content.length, size, `content of the entry at ${at}`);
    at += 512 + Math.ceil(size / 512) * 512;
    if (type === "x") {
      pax = readRecords(content);
      continue;
    }
    entries.push({
      path: pax.get("path") ?? text(0, 100),
      type,
      mode: number(100, 108),
      uid: Number(pax.get("uid") ?? number(108, 116)),
      gid: Number(pax.get("gid") ?? number(116, 124)),
      size,
      mtime: pax.get("mtime") ?? `${number(136, 148)}`,
      link: pax.get("linkpath") ?? text(157, 257),
      device: `${number(329, 337)}:${number(337, 345)}`,
      xattrs: Object.fromEntries(
        [...pax].flatMap(([keyword, value]) =>
          keyword.startsWith("SCHILY.xattr.") ? [[keyword.slice(13), value]] : [],
        ),
      ),
      content,
    });
    pax = new Map();
  }
  assert(bytes.length - at === 1024 && isZero(bytes.subarray(at)), "no proper end of the archive");
  return entries;
}

/** What is in an archive: each path, and of a hard link what it links to: `b = a`. */
export function listNames(bytes: Buffer): string[] {
  return listTar(bytes).map(({ path, type, link }) => (type === "1" ? `${path} = ${link}` : path));
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

function readRecords(body: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < body.length; ) {
    const length = Number.parseInt(body.toString("latin1", at, body.indexOf(" ", at)), 10);
    const record = body.toString("latin1", body.indexOf(" ", at) + 1, at + length);
    assert(record.endsWith("\n"), "a PAX record without its newline");
    const equals = record.indexOf("=");
    records.set(record.slice(0, equals), record.slice(equals + 1, -1));
    at += length;
  }
  return records;
}
