import { type Digest, inTurns, type Labels, type SnapshotInfo } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { isAsSealed, isOfThisBoot, renewed, sealIn, sealLabels, sealTree } from "../content/seal.ts";

/**
 * The labels that seal a tree which is whole now.
 * @param mostEntries - a tree with more is sealed by its top, since the walk would be felt. @defaultValue none has
 */
export async function sealOf(dir: string, mostEntries = Infinity, signal?: AbortSignal): Promise<Labels> {
  return sealLabels(await inTurns(sealTree(dir, mostEntries), { ...(signal && { signal }) }));
}

/** Seal a committed layer that was just seen to be what its blob says. */
export async function sealAnew(
  { driver }: StoreContext,
  chainId: Digest,
  signal?: AbortSignal,
): Promise<void> {
  const { dir } = (await driver.open(chainId)).layout();
  const { labels } = await driver.stat(chainId);
  await driver.setLabels(chainId, { ...labels, ...(await sealOf(dir, Infinity, signal)) });
}

/** Whether a committed layer is as it was sealed. That it was, after a new start of the host, is noted in its seal. */
export async function isSealIntact(
  { driver }: StoreContext,
  { id, labels }: SnapshotInfo,
  signal?: AbortSignal,
): Promise<boolean> {
  const seal = sealIn(labels);
  if (seal === undefined) return false;
  const { dir } = (await driver.open(id)).layout();
  if (!(await inTurns(isAsSealed(dir, seal), { ...(signal && { signal }) }))) return false;
  if (!isOfThisBoot(seal)) await driver.setLabels(id, { ...labels, ...sealLabels(renewed(seal)) });
  return true;
}
