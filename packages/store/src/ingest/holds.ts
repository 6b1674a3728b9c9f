import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, errnoCode } from "@strata/core";
import { ingestDir } from "../content/paths.ts";

/** What a staging directory relies on, and what it has begun. */
export interface Holds {
  /** The name of the driver. */
  readonly driver: string;
  /** Committed snapshots: used already, or to be committed. */
  readonly chains: readonly Digest[];
  /** Keys of its active snapshots. */
  readonly actives: readonly string[];
}

export const holdsFile = (dir: string): string => join(dir, "holds.json");

/**
 * What is noted in a staging directory, if anything is yet. A living process's note is whole always; one that a power
 * cut has left empty says nothing that still counts.
 */
export async function readHolds(dir: string): Promise<Holds | undefined> {
  try {
    return JSON.parse(await readFile(holdsFile(dir), "utf8"));
  } catch (error) {
    if (errnoCode(error) === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * The committed snapshots that a load, import or commit relies on, whose image is not in the index yet. Call it with
 * the store's lock held, and remove none of them. Those of a killed process are among them until it was reaped.
 * @param except - a staging directory that does not count, by id
 */
export async function heldChains(root: string, except?: string): Promise<Set<Digest>> {
  return new Set((await allHolds(root, except)).flatMap(({ chains }) => chains));
}

/** The keys of the active snapshots that are being made; otherwise as {@link heldChains}. */
export async function heldKeys(root: string): Promise<Set<string>> {
  return new Set((await allHolds(root)).flatMap(({ actives }) => actives));
}

async function allHolds(root: string, except?: string): Promise<Holds[]> {
  const ids = (await readdir(ingestDir(root))).filter((id) => id !== except);
  const holds = await Promise.all(ids.map((id) => readHolds(join(ingestDir(root), id))));
  return holds.filter((each) => each !== undefined);
}
