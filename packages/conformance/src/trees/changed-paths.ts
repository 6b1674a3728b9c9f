import type { LayerLayout } from "@strata/core";
import { changes } from "@strata/layer";

/** What `changes` says of a layer, each as `modified path`, in its order; the root's path is empty. */
export async function changedPaths(layout: LayerLayout): Promise<string[]> {
  const found: string[] = [];
  for await (const { kind, path } of changes(layout)) found.push(`${kind} ${path.toString("latin1")}`);
  return found;
}
