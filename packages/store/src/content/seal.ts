import { constants, lstatSync, readdirSync, readFileSync, type Stats } from "node:fs";
import { basename } from "node:path";
import { errnoCode, type Labels } from "@strata/core";

/*
 * What an unpacked layer was when it had just been written, or been compared with its blob. The kernel sets a ctime on
 * every change of content, metadata or name, and nobody can set it back; a file that a power cut left empty has another
 * size. So a sum over both tells at the price of a walk whether a tree is what it was. The times are compared for being
 * the same, never for being earlier: the clock may be set. A copy of the whole store has other times; its layers are
 * compared with their blobs once.
 *
 * A walk of a large tree takes too long for a look that is to cost nothing: there, while the host has not been started
 * anew, the top of the tree stands for all of it.
 */

const { S_IFDIR, S_IFMT } = constants;

/** A look at trees with up to this many entries together goes through all of them: some 10 to 25 ms. */
export const glanceEntries = 4096;

/** Of a larger tree, how many stand for it. */
const topEntries = 64;

const sealLabel = "dev.strata.layer.seal";

export interface Seal extends TreeSum {
  /** The host's boot ID when it was written. */
  readonly boot: string;
  /** The tree's root, below the snapshot's directory. */
  readonly dir: string;
}

/** Entries are told by number, and by a sum over the size and the ctime of each. */
interface TreeSum {
  /** Of those that the walk came to first. */
  readonly top: number;
  /** Of all; nothing, if the walk was not to go on so far. */
  readonly whole?: { readonly entries: number; readonly sum: number };
}

/** @param mostEntries - a tree with more is known by its top only */
export function* sealTree(root: string, mostEntries: number): Generator<void, Seal> {
  return { boot: bootId(), dir: basename(root), ...(yield* sumTree(root, mostEntries)) };
}

export function sealLabels(seal: Seal): Labels {
  return { [sealLabel]: JSON.stringify(seal) };
}

/** The seal that a snapshot bears, if it bears one. */
export function sealIn(labels: Labels): Seal | undefined {
  const text = labels[sealLabel];
  if (text === undefined) return undefined;
  try {
    const seal: Seal = JSON.parse(text);
    return seal;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** How many entries a look at a sealed tree takes that goes through all of it. */
export function sealedEntries({ whole }: Seal): number {
  return whole?.entries ?? Infinity;
}

/**
 * Whether a tree is as it was sealed, as far as a walk tells. Of a large one only the top is looked at, unless the host
 * has been started anew since.
 * @param isLarge - whether a walk of all of it would take too long
 */
export function* isAsSealed(
  root: string,
  seal: Seal,
  isLarge = sealedEntries(seal) > glanceEntries,
): Generator<void, boolean> {
  const { top, whole } = seal;
  if (whole === undefined && !isOfThisBoot(seal)) return false;
  const topOnly = whole === undefined || (isLarge && isOfThisBoot(seal));
  try {
    const found = yield* sumTree(root, topOnly ? topEntries : whole.entries);
    if (topOnly) return found.top === top;
    return found.whole?.entries === whole.entries && found.whole.sum === whole.sum;
  } catch (error) {
    // Something of it is gone, or has just been replaced.
    if (["ENOENT", "ENOTDIR"].includes(errnoCode(error) ?? "")) return false;
    throw error;
  }
}

/** Whether the host has not been started anew since. */
export function isOfThisBoot({ boot }: Seal): boolean {
  return boot === bootId();
}

/** The same seal, for a tree that was seen to be as it says. */
export function renewed(seal: Seal): Seal {
  return { ...seal, boot: bootId() };
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Yields after each directory. A name that is no text cannot be asked for in this way: that it is there counts. */
function* sumTree(root: string, mostEntries: number): Generator<void, TreeSum> {
  const directories = [root];
  let entries = 0;
  let sum = 0;
  let top = 0;
  const add = (path: string): void => {
    const stat = statIfAllowed(path);
    if (stat !== undefined && (stat.mode & S_IFMT) === S_IFDIR && path !== root) directories.push(path);
    entries += 1;
    sum = (sum + mix(stat?.size ?? 0, stat?.ctimeMs ?? 0)) | 0;
    if (entries <= topEntries) top = sum;
  };
  add(root);
  for (const directory of directories) {
    for (const name of namesIn(directory)) {
      if (entries > Math.max(mostEntries, topEntries)) return { top };
      add(`${directory}/${name}`);
    }
    yield;
  }
  return { top, whole: { entries, sum } };
}

/** Nothing of what is gone, or lies in a directory that an ordinary user, who owns it, may list but not search. */
function statIfAllowed(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (errnoCode(error) === "EACCES") return undefined;
    throw error;
  }
}

/** None in a directory that is closed to an ordinary user, who owns it. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoCode(error) === "EACCES") return [];
    throw error;
  }
}

/** Spread over 32 bits, so that two differences do not cancel each other out. */
function mix(size: number, ctimeMs: number): number {
  let hash = Math.imul(size, 0x85eb_ca6b) ^ Math.imul(ctimeMs * 1000, 0xc2b2_ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
  return hash ^ (hash >>> 13);
}
