import type { Labels, SnapshotKind } from "./driver.ts";
import { StrataError } from "./errors.ts";

/**
 * What is written down about a snapshot, in its directory: `snapshot.json` is what it is as an active or view,
 * `committed.json` what it is once committed. Two files, so that a commit that fails has changed nothing.
 */
export interface SnapshotRecord {
  readonly kind: SnapshotKind;
  /** The key or name, so that from the directory one gets back to what points to it. */
  readonly id: string;
  /** The parent's name. */
  readonly parent: string | undefined;
  /**
   * The directory names of the parent and all its ancestors, nearest first. They cannot change any more, and with
   * them here a snapshot is opened by reading one file, however deep it lies.
   */
  readonly chain: readonly string[];
  readonly labels: Labels;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The files of the two records. */
export const recordNames = { keys: "snapshot.json", names: "committed.json" } as const;

/** The bytes of a record. */
export function encodeRecord(record: SnapshotRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/**
 * @param where - names the file in messages
 * @throws StrataError `Corrupt`
 */
export function decodeRecord(text: string, where: string): SnapshotRecord {
  const json = parse(text);
  if (isObject(json)) {
    const { kind, id, parent, chain, labels, createdAt, updatedAt } = json;
    if (
      (kind === "active" || kind === "view" || kind === "committed") &&
      typeof id === "string" &&
      (parent === undefined || typeof parent === "string") &&
      isStringArray(chain) &&
      isLabels(labels) &&
      isTime(createdAt) &&
      isTime(updatedAt)
    ) {
      const times = { createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) };
      return { kind, id, parent, chain, labels, ...times };
    }
  }
  throw new StrataError(
    "Corrupt",
    `${where} is damaged, as after a power cut while the snapshot was not committed; remove the snapshot`,
  );
}

/** @throws TypeError */
export function assertLabels(labels: unknown): asserts labels is Labels {
  if (!isLabels(labels)) throw new TypeError("labels must be an object of strings");
}

function isLabels(value: unknown): value is Labels {
  return isObject(value) && Object.values(value).every((label) => typeof label === "string");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isTime(value: unknown): value is string {
  return typeof value === "string" && !Number.isNaN(Date.parse(value));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
