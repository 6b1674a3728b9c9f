import type { Digest } from "@strata/core";
import { type HostedEntry, referenceOf, withReference } from "../content/image-index.ts";
import type { Reference } from "../reference.ts";
import { repositoryOf } from "./entries.ts";
import { childrenOf } from "./kept-for-indexes.ts";

/** What becomes of what was pushed and is no image, when one of its names is removed. */
export interface HostedRemoval {
  readonly hosted: readonly HostedEntry[];
  readonly untagged: readonly string[];
  readonly deleted: readonly Digest[];
}

/**
 * Take a tag away from what was pushed under it; with its last, or by its digest, take that out of its repository, and with
 * an index what is there only for it. What another index names is untagged only. Images that an index names are the
 * store's own, and stay.
 * @returns undefined, if there is nothing of this name
 */
export async function removeHosted(
  root: string,
  before: readonly HostedEntry[],
  { name, tag, digest }: Reference,
): Promise<HostedRemoval | undefined> {
  const own = before.filter((entry) => repositoryOf(entry) === name);
  const named = own.find((entry) =>
    digest === undefined ? referenceOf(entry) === `${name}:${tag}` : entry.digest === digest,
  );
  if (named === undefined) return undefined;
  const same = own.filter((entry) => entry.digest === named.digest);
  const taken = digest === undefined ? [named] : same;
  const untagged = taken.flatMap((entry) => referenceOf(entry) ?? []);
  const isNeeded = (await namedBy(root, own)).has(named.digest);
  if (isNeeded && untagged.length === 0) return undefined;
  if (isNeeded || taken.length < same.length) {
    const hosted = before.map((entry) => (taken.includes(entry) ? withReference(entry, undefined) : entry));
    return { hosted, untagged, deleted: [] };
  }
  const gone = new Set(same);
  // Each round may leave another index, and what that names, with nobody who names it.
  let more: readonly HostedEntry[] = same;
  while (more.length > 0) {
    const orphans = await namedBy(root, more);
    const rest = own.filter((entry) => !gone.has(entry));
    const needed = await namedBy(root, rest);
    more = rest.filter(
      (entry) => orphans.has(entry.digest) && !needed.has(entry.digest) && referenceOf(entry) === undefined,
    );
    for (const entry of more) gone.add(entry);
  }
  return {
    hosted: before.filter((entry) => !gone.has(entry)),
    untagged,
    deleted: [...new Set([...gone].map((entry) => entry.digest))],
  };
}

/** What those of some entries that are indexes name. */
async function namedBy(root: string, entries: readonly HostedEntry[]): Promise<ReadonlySet<Digest>> {
  return new Set((await Promise.all(entries.map((entry) => childrenOf(root, entry)))).flat());
}
