import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AppliedLayer, type ApplyOptions, compareTrees, LayerWorkers, settleLayer } from "@strata/layer";
import { afterAll, expect } from "vitest";
import { type BuiltEntry, tar } from "./build-layer.ts";
import type { Scratch } from "./layouts.ts";
import { mountOverlay } from "./overlay-mount.ts";

/** One pool for all tests of a file. */
export function useWorkers(threads = 2): LayerWorkers {
  const workers = new LayerWorkers({ threads });
  afterAll(() => workers.close());
  return workers;
}

export type Layer = Buffer | readonly BuiltEntry[];

export type LayerOptions = Omit<ApplyOptions, "source" | "layout">;

let files = 0;

/** Write a layer's archive to a file. */
export function store(scratch: Scratch, layer: Layer): string {
  const path = join(scratch.path, `layer-${files++}.tar`);
  writeFileSync(path, Buffer.isBuffer(layer) ? layer : tar(...layer));
  return path;
}

/** Apply one layer to an empty directory, as a base layer of the plain kind. */
export async function applyPlain(
  workers: LayerWorkers,
  scratch: Scratch,
  layer: Layer,
  options: LayerOptions = {},
): Promise<AppliedLayer & { readonly tree: string }> {
  const tree = scratch.directory(`plain-${files++}`);
  const source = { path: store(scratch, layer) };
  return { ...(await workers.apply({ source, layout: { format: "plain", dir: tree }, ...options })), tree };
}

/** Apply layers one after the other, bottom first, each to a copy of the tree below. @returns the last tree */
export async function applyPlainChain(
  workers: LayerWorkers,
  scratch: Scratch,
  layers: readonly Layer[],
): Promise<string> {
  let base: string | undefined;
  for (const layer of layers) {
    const tree = scratch.directory(`plain-${files++}`);
    if (base !== undefined) execFileSync("cp", ["-a", "--reflink=auto", `${base}/.`, tree]);
    const layout = { format: "plain", dir: tree, ...(base !== undefined && { base }) } as const;
    await workers.apply({ source: { path: store(scratch, layer) }, layout });
    base = tree;
  }
  if (base === undefined) throw new Error("no layers");
  return base;
}

/**
 * Apply layers to directories of overlayfs, either all at the same time and settled afterwards, or in order.
 * @returns the directories, the topmost first
 */
export async function applyOverlay(
  workers: LayerWorkers,
  scratch: Scratch,
  layers: readonly Layer[],
  order: "parallel" | "sequential",
): Promise<string[]> {
  const jobs = layers.map((layer) => ({
    dir: scratch.directory(`overlay-${files++}`),
    path: store(scratch, layer),
  }));
  const layoutOf = (index: number) => ({
    format: "overlay" as const,
    dir: jobs[index]?.dir ?? "",
    lowers: jobs
      .slice(0, index)
      .map(({ dir }) => dir)
      .reverse(),
  });
  if (order === "sequential") {
    for (const [index, { path }] of jobs.entries())
      await workers.apply({ source: { path }, layout: layoutOf(index) });
  } else {
    const applied = await Promise.all(
      jobs.map(({ dir, path }) =>
        workers.apply({
          source: { path },
          layout: { format: "overlay", dir, lowers: [] },
          lowersLater: true,
        }),
      ),
    );
    for (const [index, { unresolved }] of applied.entries()) settleLayer(layoutOf(index), unresolved);
  }
  return jobs.map(({ dir }) => dir).reverse();
}

/** Look at layers of overlayfs as the kernel shows them. */
export function withMerged<T>(scratch: Scratch, layers: readonly string[], look: (tree: string) => T): T {
  const merged = scratch.directory(`merged-${files++}`);
  // The kernel wants two layers at least, or an upper directory.
  const lowers = layers.length > 1 ? layers : [...layers, scratch.directory("nothing")];
  using _mount = mountOverlay({ lowers }, merged);
  return look(merged);
}

/**
 * Apply layers in every way there is, and see that all lead to the same tree.
 * @returns the tree
 */
export async function applyEveryWay(
  workers: LayerWorkers,
  scratch: Scratch,
  layers: readonly Layer[],
): Promise<string> {
  const plain = await applyPlainChain(workers, scratch, layers);
  for (const order of ["parallel", "sequential"] as const) {
    const overlay = await applyOverlay(workers, scratch, layers, order);
    const copy = join(scratch.path, `seen-${files++}`);
    mkdirSync(copy);
    // compareTrees is asynchronous and the mount is not, so a copy of what the kernel shows is compared.
    withMerged(scratch, overlay, (tree) => execFileSync("cp", ["-a", `${tree}/.`, copy]));
    expect(await differences(plain, copy), `plain and overlay, ${order}`).toEqual([]);
  }
  return plain;
}

export async function differences(a: string, b: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { path, what } of compareTrees(a, b)) {
    found.push(`${path.toString("latin1")}: ${what}`);
  }
  return found;
}
