import { type ActiveSnapshot, type OverlayLayout, type StorageDriver, StrataError } from "@strata/core";
import { type AppliedLayer, type LayerWorkers, settleLayer } from "@strata/layer";
import { SyncAhead } from "@strata/store";
import type { LayerArchive } from "../../dataset/layers.ts";

export interface ApplyImageOptions {
  readonly driver: StorageDriver;
  /** Whether it makes durable what it commits. */
  readonly durable: boolean;
  readonly workers: LayerWorkers;
  /** Bottom first. */
  readonly layers: readonly LayerArchive[];
  readonly signal: AbortSignal;
}

/** The names that the layers are committed under; bottom first. */
export function layerNames(layers: readonly LayerArchive[]): string[] {
  return layers.map((_, index) => `layer-${index}`);
}

/**
 * Prepare, apply and commit the layers of an image, as a store does that loads it: side by side, with one sync for all,
 * where the driver can rebase; else one upon the other.
 */
export async function applyImage(options: ApplyImageOptions): Promise<void> {
  await using ahead = new SyncAhead(options);
  if (options.driver.capabilities.rebase.supported) await applySideBySide(options, ahead);
  else await applyInOrder(options, ahead);
}

async function applyInOrder(options: ApplyImageOptions, ahead: SyncAhead): Promise<void> {
  const { driver, layers, signal } = options;
  const names = layerNames(layers);
  for (const [index, layer] of layers.entries()) {
    const active = await driver.prepare(`apply-${index}`, names[index - 1], { signal });
    await applyLayer(layer, active, options, ahead, false);
    await ahead.end();
    await active.commit(`layer-${index}`);
  }
}

async function applySideBySide(options: ApplyImageOptions, ahead: SyncAhead): Promise<void> {
  const { driver, layers, signal } = options;
  const jobs: { index: number; layer: LayerArchive; active: ActiveSnapshot }[] = [];
  for (const [index, layer] of layers.entries())
    jobs.push({ index, layer, active: await driver.prepare(`apply-${index}`, undefined, { signal }) });
  const unresolved = new Map<number, Parameters<typeof settleLayer>[1]>();
  // The largest first, so that it is not left over for one thread at the end.
  const largestFirst = jobs.toSorted((a, b) => b.layer.bytes - a.layer.bytes);
  await Promise.all(
    largestFirst.map(async ({ index, layer, active }) => {
      const applied = await applyLayer(layer, active, options, ahead, true);
      unresolved.set(index, applied.unresolved);
    }),
  );
  let lowers: readonly string[] = [];
  for (const { index, active } of jobs) {
    const { dir } = overlayOf(active);
    const left = unresolved.get(index);
    if (left !== undefined) settleLayer({ format: "overlay", dir, lowers }, left);
    lowers = [dir, ...lowers];
  }
  await ahead.end();
  await driver.sync();
  const names = layerNames(layers);
  for (const { index, active } of jobs) {
    const parent = names[index - 1];
    await active.commit(`layer-${index}`, { synced: true, ...(parent !== undefined && { parent }) });
  }
}

async function applyLayer(
  { path, bytes, digest, diffId }: LayerArchive,
  active: ActiveSnapshot,
  { driver, workers, signal }: ApplyImageOptions,
  ahead: SyncAhead,
  lowersLater: boolean,
): Promise<AppliedLayer> {
  const unpacked = ahead.layer();
  const applied = await workers.apply({
    source: { path },
    layout: active.layout(),
    expected: { blob: digest, blobSize: bytes, diffId },
    ignoreOwnership: !driver.capabilities.ownership.supported,
    lowersLater,
    onProgress: unpacked,
    signal,
  });
  unpacked(applied.blobSize);
  return applied;
}

function overlayOf(active: ActiveSnapshot): OverlayLayout {
  const layout = active.layout();
  if (layout.format === "overlay") return layout;
  throw new StrataError("Unsupported", "a driver that can rebase must have overlay layouts");
}
