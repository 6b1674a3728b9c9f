import type { DirectoryPair } from "./copy-entry.ts";

/** What a helper is started with. */
export interface HelperData {
  /** Shared: not 0 at index 0 means that nothing more is to be copied. */
  readonly stop: Int32Array;
}

/** To a helper: copy these entries. The descriptors are the process's, and stay open until the reply. */
export interface Batch {
  readonly parts: readonly BatchPart[];
}

export interface BatchPart extends DirectoryPair {
  readonly names: NameList;
}

/** From a helper, when it is ready, and when it has done with a batch: for each part, the names that it did not copy. */
export interface BatchReply {
  readonly left: readonly NameList[];
}

/** Names of files as one string, which is quick to send: `latin1`, a NUL between two. */
export type NameList = string;

export function joinNames(names: readonly Buffer[]): NameList {
  return names.map((name) => name.toString("latin1")).join("\0");
}

export function splitNames(list: NameList): Buffer[] {
  return list === "" ? [] : list.split("\0").map((name) => Buffer.from(name, "latin1"));
}
