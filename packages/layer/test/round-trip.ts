import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LayerLayout } from "@strata/core";
import { type CompareTreesOptions, compareTrees, LayerWorkers } from "@strata/layer";
import { afterAll, expect } from "vitest";
import {
  type Agreed,
  agree,
  baseTime,
  type Edit,
  edit,
  readDiff,
  type Scratch,
  settleTimes,
  upperOver,
} from "./layouts.ts";
import { mountOverlay } from "./overlay-mount.ts";

/** As {@link agree}; then apply the diff again, see {@link expectRoundTrip}. */
export async function agreeAndApply(
  scratch: Scratch,
  base: Edit,
  change: Edit,
  options: CompareTreesOptions = {},
): Promise<Agreed> {
  const agreed = await agree(scratch, base, change);
  await expectRoundTrip(scratch, base, agreed, options);
  return agreed;
}

const workers = new LayerWorkers({ threads: 1 });
afterAll(() => workers.close());

/**
 * Apply a diff to the base again, under both layouts: it must give the tree that was changed, to the last attribute,
 * and the diff of that must be the same bytes.
 */
async function expectRoundTrip(
  scratch: Scratch,
  base: Edit,
  { bytes, layouts }: Agreed,
  options: CompareTreesOptions = {},
): Promise<void> {
  const path = join(scratch.path, "layer.tar");
  writeFileSync(path, bytes);
  const apply = (layout: LayerLayout) => workers.apply({ source: { path }, layout });

  const plain = {
    format: "plain",
    dir: scratch.directory("applied-plain"),
    base: layouts.plain.base ?? "",
  } as const;
  edit(plain.dir, base);
  settleTimes(plain.dir, baseTime);
  await apply(plain);
  expect(await listDifferences(layouts.plain.dir, plain.dir, options), "applied to a plain tree").toEqual([]);
  expect((await readDiff(plain)).equals(bytes), "the diff of what was applied to a plain tree").toBe(true);

  const [lower = ""] = layouts.overlay.lowers;
  const overlay = { ...layouts.overlay, dir: upperOver(scratch, "applied-overlay", lower) };
  await apply(overlay);
  expect((await readDiff(overlay)).equals(bytes), "the diff of what was applied to an overlay layer").toBe(
    true,
  );
  const merged = scratch.directory("merged");
  using _mount = mountOverlay({ lowers: [overlay.dir, lower] }, merged);
  expect(await listDifferences(layouts.plain.dir, merged, options), "applied to an overlay layer").toEqual(
    [],
  );
}

async function listDifferences(a: string, b: string, options: CompareTreesOptions): Promise<string[]> {
  const lines: string[] = [];
  for await (const { path, what } of compareTrees(a, b, options))
    lines.push(`${path.toString("latin1")}: ${what}`);
  return lines;
}
