import type { Timespec } from "@strata/linux";
import { badArchive } from "./header.ts";

/** The records of a PAX header in their order: keywords (`latin1`, one character a byte) with their raw values. */
export type PaxRecords = readonly (readonly [keyword: string, value: Buffer])[];

const space = 0x20;
const equals = 0x3d;
const newline = 0x0a;

/**
 * Read the records `LENGTH KEYWORD=VALUE\n` of a PAX header's body. A value is bytes and may hold newlines; LENGTH
 * counts the whole record.
 * @throws StrataError `InvalidArgument`
 * @see POSIX.1-2017, pax, "pax Header Block"
 */
export function parsePaxRecords(body: Buffer): PaxRecords {
  const records: (readonly [string, Buffer])[] = [];
  for (let start = 0; start < body.length; ) {
    const afterLength = body.indexOf(space, start);
    const length = afterLength < 0 ? undefined : parseDecimal(body.toString("latin1", start, afterLength));
    const end = start + (length ?? 0);
    const equalsAt = body.indexOf(equals, afterLength);
    if (equalsAt < 0 || equalsAt >= end || end > body.length || body[end - 1] !== newline) {
      throw badArchive("a PAX record is malformed");
    }
    const keyword = body.toString("latin1", afterLength + 1, equalsAt);
    records.push([keyword, Buffer.from(body.subarray(equalsAt + 1, end - 1))]);
    start = end;
  }
  return records;
}

/** A whole number of at most 15 digits, without a sign, or undefined. */
export function parseDecimal(text: string): number | undefined {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

/** @throws StrataError `InvalidArgument` */
export function paxNumber(keyword: string, value: Buffer): number {
  const parsed = parseDecimal(value.toString("latin1"));
  if (parsed === undefined) throw badArchive(`the PAX record ${keyword} is not a number`);
  return parsed;
}

/**
 * A time: decimal seconds with a fraction, possibly before 1970. Digits beyond nanoseconds are cut.
 * @throws StrataError `InvalidArgument`
 */
export function paxTime(keyword: string, value: Buffer): Timespec {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(value.toString("latin1"));
  if (match === null) throw badArchive(`the PAX record ${keyword} is not a time`);
  const [, minus, whole, fraction = ""] = match;
  const sec = Number(whole);
  const nsec = Number(fraction.slice(0, 9).padEnd(9, "0"));
  if (minus === "") return { sec, nsec };
  return nsec === 0 ? { sec: 0 - sec, nsec } : { sec: -sec - 1, nsec: 1_000_000_000 - nsec };
}

/** A path or link target. @throws StrataError `InvalidArgument` */
export function paxPath(keyword: string, value: Buffer): Buffer {
  if (value.includes(0)) throw badArchive(`the PAX record ${keyword} holds a NUL`);
  return value;
}
