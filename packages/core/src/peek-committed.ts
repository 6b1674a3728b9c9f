import { readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import type { Labels } from "./driver.ts";
import { errnoCode, isStrataError } from "./errors.ts";
import { decodeRecord, recordNames } from "./snapshot-record.ts";

/** A committed snapshot, as it lies on disk. */
export interface PeekedSnapshot {
  /** Its directory; what is in it is the driver's. */
  readonly dir: string;
  readonly labels: Labels;
  /** The name of its directory, and of the one that it was committed on: opaque. */
  readonly place: string;
  readonly parentPlace?: string;
}

/**
 * Look at a committed snapshot without opening its driver, for who only wants to know whether it is there. Of drivers
 * that are made by {@link createDriver}. Cost: two system calls, and a small file is read.
 * @param driverRoot - the root of the driver
 * @returns undefined, if there is none, or it is damaged, or the root is not one of such a driver
 */
export function peekCommitted(driverRoot: string, name: string): PeekedSnapshot | undefined {
  const dir = `${driverRoot}/names/${name}`;
  const path = `${dir}/${recordNames.names}`;
  try {
    const { labels, chain } = decodeRecord(readFileSync(path, "utf8"), path);
    const [parentPlace] = chain;
    const place = basename(readlinkSync(dir));
    return { dir, labels, place, ...(parentPlace !== undefined && { parentPlace }) };
  } catch (error) {
    if (isStrataError(error, "Corrupt") || ["ENOENT", "ENOTDIR", "EINVAL"].includes(errnoCode(error) ?? "")) {
      return undefined;
    }
    throw error;
  }
}
