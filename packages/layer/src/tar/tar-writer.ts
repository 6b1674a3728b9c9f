import { StrataError } from "@strata/core";
import type { Timespec } from "@strata/linux";
import type { EntryType, LayerEntry } from "./entry.ts";

/*
 * One canonical encoding: an entry has exactly one form, so equal changes have equal bytes. A plain ustar header where
 * that can say it all, else a PAX header with just the records it needs, sorted by keyword, before it.
 *
 * A name of more than 100 bytes, or that is not ASCII, goes into a PAX `path` record as raw bytes, whatever their
 * encoding. POSIX asks for UTF-8 there, but has no place at all for a name that is not UTF-8 (`hdrcharset=BINARY` is
 * read by no container tool), and docker, podman, umoci, GNU tar and Python all take the bytes as they are. The
 * `prefix` field of ustar is left unused: it would be a second form for names of 101 to 256 bytes.
 */

/** Tar is made of blocks of this many bytes. */
export const blockSize = 512;

/** Two blocks of zeros: what ends an archive. */
export const endOfArchive: Buffer = Buffer.alloc(2 * blockSize);

const typeFlags: Readonly<Record<EntryType, string>> = {
  file: "0",
  link: "1",
  symlink: "2",
  char: "3",
  block: "4",
  dir: "5",
  fifo: "6",
};

// The largest numbers that fit in the octal fields of ustar: 7 digits for ids, 11 for sizes and times.
const maxId = 0o7777777;
const maxLong = 0o77777777777;

/** How many zero bytes follow `size` bytes of content. */
export function paddingAfter(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

/**
 * The header blocks of an entry, PAX header included. `entry.size` bytes of content and {@link paddingAfter} zeros
 * must follow.
 * @throws StrataError `Unsupported`, for an xattr with `=` in its name, which PAX cannot say
 * @see POSIX.1-2017, pax, "pax Interchange Format"
 */
export function encodeHeader(entry: LayerEntry): Buffer {
  const records = paxRecords(entry);
  if (records.size === 0) return ustarBlock(entry);
  const body = Buffer.concat(
    [...records].sort(([a], [b]) => (a < b ? -1 : 1)).map(([keyword, value]) => paxRecord(keyword, value)),
  );
  const header = ustarBlock({ ...paxHeaderEntry, size: body.length }, "x");
  return Buffer.concat([header, body, Buffer.alloc(paddingAfter(body.length)), ustarBlock(entry)]);
}

const nowhen: Timespec = { sec: 0, nsec: 0 };

const paxHeaderEntry: LayerEntry = {
  path: Buffer.from("././@PaxHeader"),
  type: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: nowhen,
  linkTarget: undefined,
  rdev: undefined,
  xattrs: new Map(),
};

/** What ustar cannot say of an entry, by keyword (`latin1`, one character a byte). */
function paxRecords({ path, uid, gid, size, mtime, linkTarget, xattrs }: LayerEntry): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  if (!fitsName(path)) records.set("path", path);
  if (linkTarget !== undefined && !fitsName(linkTarget)) records.set("linkpath", linkTarget);
  if (uid > maxId) records.set("uid", Buffer.from(`${uid}`));
  if (gid > maxId) records.set("gid", Buffer.from(`${gid}`));
  if (size > maxLong) records.set("size", Buffer.from(`${size}`));
  if (mtime.nsec !== 0 || octalSeconds(mtime) !== mtime.sec)
    records.set("mtime", Buffer.from(paxTime(mtime)));
  for (const [name, value] of xattrs) {
    if (name.includes("=")) {
      throw new StrataError(
        "Unsupported",
        `the extended attribute ${JSON.stringify(name)} of ${JSON.stringify(path.toString())} cannot be stored in a tar, ` +
          "whose attribute names end at the first '='; remove or rename the attribute",
      );
    }
    records.set(`SCHILY.xattr.${name}`, value);
  }
  return records;
}

function fitsName(name: Buffer): boolean {
  return name.length <= 100 && name.every((byte) => byte < 0x80);
}

function octalSeconds({ sec }: Timespec): number {
  return sec >= 0 && sec <= maxLong ? sec : 0;
}

/** Sign and magnitude, no trailing zeros: -1.5 for half a second after 23:59:58 on the last day of 1969. */
function paxTime({ sec, nsec }: Timespec): string {
  const borrow = sec < 0 && nsec > 0;
  const whole = Math.abs(borrow ? sec + 1 : sec);
  const fraction = borrow ? 1_000_000_000 - nsec : nsec;
  const digits = `${fraction}`.padStart(9, "0").replace(/0+$/, "");
  return `${sec < 0 ? "-" : ""}${whole}${digits === "" ? "" : `.${digits}`}`;
}

/** `LENGTH KEYWORD=VALUE\n`, where LENGTH counts its own digits too. */
function paxRecord(keyword: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${keyword}=`, "latin1"), value, Buffer.from("\n")]);
  let digits = `${rest.length}`.length;
  if (`${rest.length + digits}`.length > digits) digits++;
  return Buffer.concat([Buffer.from(`${rest.length + digits}`), rest]);
}

function ustarBlock(entry: LayerEntry, typeFlag = typeFlags[entry.type]): Buffer {
  const block = Buffer.alloc(blockSize);
  // Of a longer name, readers without PAX see the beginning.
  entry.path.copy(block, 0, 0, 100);
  writeOctal(block, 100, 8, entry.mode);
  writeOctal(block, 108, 8, entry.uid > maxId ? 0 : entry.uid);
  writeOctal(block, 116, 8, entry.gid > maxId ? 0 : entry.gid);
  writeOctal(block, 124, 12, entry.size > maxLong ? 0 : entry.size);
  writeOctal(block, 136, 12, octalSeconds(entry.mtime));
  block.write(typeFlag, 156, "latin1");
  entry.linkTarget?.copy(block, 157, 0, 100);
  block.write("ustar\u000000", 257, "latin1");
  writeOctal(block, 329, 8, entry.rdev?.major ?? 0);
  writeOctal(block, 337, 8, entry.rdev?.minor ?? 0);
  writeChecksum(block);
  return block;
}

function writeOctal(block: Buffer, offset: number, width: number, value: number): void {
  block.write(value.toString(8).padStart(width - 1, "0"), offset, "latin1");
}

/** The sum of all bytes, its own field taken as spaces: six octal digits, a NUL, a space. */
function writeChecksum(block: Buffer): void {
  block.fill(" ", 148, 156);
  let sum = 0;
  for (let at = 0; at < blockSize; at++) sum += block.readUInt8(at);
  block.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148, "latin1");
}
