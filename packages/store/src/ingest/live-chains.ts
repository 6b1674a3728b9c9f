import { type Digest, isStrataError } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { readIndex } from "../content/image-index.ts";
import { failpoint } from "../failpoint.ts";
import { contentOf } from "../images/content.ts";
import { heldChains } from "./holds.ts";

/**
 * The committed snapshots that must stay: those of the images in the index, and those that a load, import or commit
 * relies on. Call it with the store's lock held.
 * @param except - a staging directory that does not count, by id
 * @throws StrataError `Corrupt`, if an image's documents are damaged, since nobody knows then what must stay
 */
export async function liveChains(root: string, except?: string): Promise<Set<Digest>> {
  const held = await heldChains(root, except);
  const { chains } = await contentOf(root, await readIndex(root));
  return new Set([...held, ...chains]);
}

/**
 * Remove those of `chains` that nothing needs; one with a container or another snapshot above it stays.
 * Call it with the store's lock held.
 * @param chains - parents before children
 * @returns what was removed, children first
 */
export async function dropChains(
  { driver, root }: StoreContext,
  chains: readonly Digest[],
  except?: string,
): Promise<Digest[]> {
  const live = await liveChains(root, except);
  const dropped: Digest[] = [];
  for (const chain of chains.toReversed()) {
    if (live.has(chain)) continue;
    try {
      await driver.remove(chain);
      failpoint("layer.dropped");
      dropped.push(chain);
    } catch (error) {
      const kept = ["NotFound", "FailedPrecondition", "Busy"] as const;
      if (!kept.some((code) => isStrataError(error, code))) throw error;
    }
  }
  return dropped;
}
