import { expect } from "vitest";
import { applyEveryWay, useWorkers } from "./apply-layers.ts";
import type { BuiltEntry } from "./build-layer.ts";
import { describeTree } from "./describe-tree.ts";
import { useScratch } from "./layouts.ts";
import { asRoot } from "./overlay-mount.ts";

/** Layers and the tree that they give. */
export interface Case {
  readonly title: string;
  /** Bottom first. */
  readonly layers: readonly (readonly BuiltEntry[])[];
  /** See {@link describeTree}; a directory without an entry anywhere shows as `@0`. */
  readonly tree: readonly string[];
}

/** Tests that layers, applied in every way there is, give one and the same tree. */
export function testCases(cases: readonly Case[]): void {
  const scratch = useScratch();
  const workers = useWorkers();
  for (const { title, layers, tree } of cases) {
    asRoot(title, async () => {
      const result = await applyEveryWay(workers, scratch, layers);
      expect(describeTree(result, { root: tree[0]?.startsWith("./") ?? false })).toEqual(tree);
    });
  }
}
