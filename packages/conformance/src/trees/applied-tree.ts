import assert from "node:assert/strict";
import type { Trial } from "../trial.ts";
import { describeTree } from "./describe-tree.ts";
import { type Layer, Layers } from "./layers.ts";

/**
 * That layers, applied bottom first in each way that the driver has, give a tree.
 * @param tree - in the words of `describeTree`; with a line for the root, if it begins with one
 */
export async function gives(trial: Trial, layers: readonly Layer[], tree: readonly string[]): Promise<void> {
  await using applier = new Layers(trial);
  const owners = trial.driver.capabilities.ownership.supported;
  const root = tree[0]?.startsWith("./") ?? false;
  for (const way of applier.ways) {
    const top = await applier.chain(layers, way);
    const found = await trial.look(top, (at) => describeTree(at, { root, owners }));
    assert.deepEqual(found, tree, `applied ${way}`);
  }
}
