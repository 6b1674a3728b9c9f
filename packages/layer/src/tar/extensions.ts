import type { Timespec } from "@strata/linux";
import { badArchive } from "./header.ts";
import { type PaxRecords, parseDecimal, paxNumber, paxPath, paxTime } from "./pax.ts";
import { pairUp, type Segment } from "./sparse.ts";

/** What the extended headers in front of a header say in its place. */
export interface Extensions {
  readonly path?: Buffer;
  readonly linkTarget?: Buffer;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly mtime?: Timespec;
  readonly xattrs: ReadonlyMap<string, Buffer>;
  readonly sparse?: PaxSparse;
}

/** A file stored by GNU tar without its holes, in one of the three PAX ways of saying so. */
export interface PaxSparse {
  /** Bytes of the file, holes included. */
  readonly size: number;
  /** Undefined in format 1.0, where the map stands in front of the data. */
  readonly segments: readonly Segment[] | undefined;
}

const noXattrs: ReadonlyMap<string, Buffer> = new Map();
export const noExtensions: Extensions = { xattrs: noXattrs };

const xattrPrefix = "SCHILY.xattr.";

/**
 * Take from PAX records what a layer needs. A later record overrides an earlier one; an empty value takes back what
 * was said. Unknown keywords are ignored, as POSIX asks.
 * @throws StrataError `InvalidArgument`
 */
export function readExtensions(records: PaxRecords): Extensions {
  const last = new Map(records);
  const xattrs = new Map<string, Buffer>();
  for (const [keyword, value] of last) {
    if (keyword.startsWith(xattrPrefix)) xattrs.set(keyword.slice(xattrPrefix.length), value);
  }
  const get = <T>(keyword: string, parse: (keyword: string, value: Buffer) => T): T | undefined => {
    const value = last.get(keyword);
    return value === undefined || value.length === 0 ? undefined : parse(keyword, value);
  };
  const sparse = readSparse(records, get);
  const path = get("GNU.sparse.name", paxPath) ?? get("path", paxPath);
  const linkTarget = get("linkpath", paxPath);
  const uid = get("uid", paxNumber);
  const gid = get("gid", paxNumber);
  const size = get("size", paxNumber);
  const mtime = get("mtime", paxTime);
  return {
    xattrs,
    ...(path && { path }),
    ...(linkTarget && { linkTarget }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
    ...(size !== undefined && { size }),
    ...(mtime && { mtime }),
    ...(sparse && { sparse }),
  };
}

type Get = <T>(keyword: string, parse: (keyword: string, value: Buffer) => T) => T | undefined;

/** @see GNU tar manual, "Storing Sparse Files", "PAX Format, Versions 0.0, 0.1 and 1.0" */
function readSparse(records: PaxRecords, get: Get): PaxSparse | undefined {
  const asText = (_: string, value: Buffer) => value.toString("latin1");
  const size = get("GNU.sparse.realsize", paxNumber) ?? get("GNU.sparse.size", paxNumber);
  if (get("GNU.sparse.major", asText) === "1" && get("GNU.sparse.minor", asText) === "0") {
    if (size === undefined) throw badArchive("a sparse file has no size");
    return { size, segments: undefined };
  }
  const map = get("GNU.sparse.map", asText)?.split(",") ?? repeatedRecords(records);
  if (map === undefined) return undefined;
  if (size === undefined) throw badArchive("a sparse file has no size");
  const segments = pairUp(map);
  const count = get("GNU.sparse.numblocks", (_, value) => parseDecimal(value.toString("latin1")));
  if (count !== undefined && count !== segments.length) throw badArchive("a sparse map is not whole");
  return { size, segments };
}

/** Format 0.0: the one place where a keyword may come repeatedly, and counts each time. */
function repeatedRecords(records: PaxRecords): string[] | undefined {
  const numbers = records.filter(
    ([keyword]) => keyword === "GNU.sparse.offset" || keyword === "GNU.sparse.numbytes",
  );
  return numbers.length === 0 ? undefined : numbers.map(([, value]) => value.toString("latin1"));
}
