import { dirname } from "node:path";
import {
  type ActiveSnapshot,
  type CommittedSnapshot,
  type Digest,
  errnoCode,
  fsyncPath,
  type Problem,
} from "@strata/core";
import { compareTrees } from "@strata/layer";
import { AT_FDCWD, RENAME_EXCHANGE, renameat2, S_IFCHR, S_IFMT, statx } from "@strata/linux";
import { listContainers } from "../containers/records.ts";
import { mountPoint } from "../containers/snapshot.ts";
import type { StoreContext } from "../content/context.ts";
import type { ImageRecord } from "../content/image-record.ts";
import { blobPath } from "../content/paths.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { failpoint } from "../failpoint.ts";
import { removeActive } from "../ingest/reap.ts";
import { layerFacts } from "../ingest/snapshot-labels.ts";
import type { Staging } from "../ingest/staging.ts";
import { noLimits } from "../no-limits.ts";
import { reclaim } from "../reclaim.ts";
import type { ExamineOptions } from "./options.ts";
import { openCommitted, type StoredLayer } from "./stored-layer.ts";

/** How many differences of one layer are named; the others are counted. */
const named = 5;

/**
 * Unpack a layer a second time, from its blob, and compare what is in the store with it; repaired, the new files take
 * the place of the old.
 * @param images - all of the store
 * @returns what is wrong with it, unless it was repaired
 */
export async function examineTree(
  context: StoreContext,
  staging: Staging,
  images: readonly ImageRecord[],
  layer: StoredLayer,
  options: ExamineOptions,
): Promise<Problem | undefined> {
  const key = staging.key(0);
  await withStoreLock(context.root, () => staging.hold([layer.chainId], [key]));
  try {
    // From here on neither goes. If one is gone already, another process has removed the image: that is no damage.
    const committed = await openCommitted(context, layer.chainId);
    if (committed === undefined || !(await staging.linkBlob(layer.blob))) return undefined;
    const fresh = await context.driver.prepare(key, layer.parent, signalOf(options));
    await unpack(context, staging, layer, fresh, options);
    failpoint("repair.layer-unpacked");
    const differences = await describeDifferences(committed, fresh, options);
    if (differences === undefined) return undefined;
    const problem = (advice: string): Problem => ({
      subject: `layer ${layer.chainId}`,
      message: `layer of ${layer.image}: ${differences}; ${advice}`,
    });
    if (!options.repair) return problem("repair the store; layers above it were not looked at");
    const mounted = await mountedAbove(context, images, layer.chainId);
    if (mounted.length > 0) return problem(`unmount ${mounted.join(", ")} and repair the store again`);
    if (await replaceTree(context, committed, fresh)) return undefined;
    return problem(
      `the ${context.driver.name} driver keeps it read-only; remove ${layer.image} and load it again`,
    );
  } finally {
    await removeActive(context, key);
    await reclaim(context);
  }
}

async function unpack(
  { driver, root, workers }: StoreContext,
  staging: Staging,
  { blob, chainId, size, diffId }: StoredLayer,
  fresh: ActiveSnapshot,
  options: ExamineOptions,
): Promise<void> {
  const { ownersIgnored } = layerFacts(await driver.stat(chainId));
  await (await workers()).apply({
    source: { path: staging.blobPath(blob) ?? blobPath(root, blob) },
    layout: fresh.layout(),
    expected: { blob, blobSize: size, diffId },
    limits: noLimits,
    ignoreOwnership: ownersIgnored,
    ...signalOf(options),
  });
}

async function describeDifferences(
  committed: CommittedSnapshot,
  fresh: ActiveSnapshot,
  options: ExamineOptions,
): Promise<string | undefined> {
  const first: string[] = [];
  let count = 0;
  const trees = [committed.layout().dir, fresh.layout().dir] as const;
  for await (const { path, what } of compareTrees(...trees, signalOf(options))) {
    if (what.startsWith("mtime ") && isWhiteout(trees[0], path)) continue;
    count += 1;
    if (count <= named) first.push(`/${path.toString()}: ${what}`);
  }
  if (count === 0) return undefined;
  const more = count > named ? `; and ${count - named} more` : "";
  return `its files are not those of its blob (what is there, what must be): ${first.join("; ")}${more}`;
}

/** The mark of a deleted name, as overlayfs has it: a device without a meaning, nor has its time one. */
function isWhiteout(tree: string, path: Buffer): boolean {
  const { mode, rdev } = statx(AT_FDCWD, Buffer.concat([Buffer.from(`${tree}/`), path]));
  return (mode & S_IFMT) === S_IFCHR && rdev.major === 0 && rdev.minor === 0;
}

/** overlayfs must not lose a layer below its feet. */
async function mountedAbove(
  context: StoreContext,
  images: readonly ImageRecord[],
  chainId: Digest,
): Promise<string[]> {
  const above = new Set(images.filter(({ chainIds }) => chainIds.includes(chainId)).map(({ id }) => id));
  const names: string[] = [];
  for (const record of await listContainers(context)) {
    if (above.has(record.imageId) && (await mountPoint(context, record))) names.push(record.name);
  }
  return names;
}

/**
 * With one rename(2). Snapshots above keep their parent; where they are copies of it, they keep what they copied.
 * @returns whether the driver lets it be: a read-only subvolume of btrfs cannot move to another directory
 */
async function replaceTree(
  { driver, durable }: StoreContext,
  damaged: CommittedSnapshot,
  fresh: ActiveSnapshot,
): Promise<boolean> {
  const [old, good] = [damaged.layout().dir, fresh.layout().dir];
  await driver.sync();
  try {
    renameat2(AT_FDCWD, good, AT_FDCWD, old, RENAME_EXCHANGE);
  } catch (error) {
    if (errnoCode(error) === "EROFS") return false;
    throw error;
  }
  failpoint("repair.trees-exchanged");
  if (durable) await fsyncPath(dirname(old));
  return true;
}

function signalOf({ signal }: ExamineOptions): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
