import { type Change, changes, diff } from "@strata/layer";
import type { StoreContext } from "../content/context.ts";
import { openContainer } from "./snapshot.ts";

export interface TreeOptions {
  readonly signal?: AbortSignal;
}

/**
 * What a container changed against its image, sorted; directories that lead to a change are among it.
 *
 * Cost: that of the change, where the driver keeps changes apart; else a walk of the tree.
 * @throws StrataError `NotFound`
 */
export async function* containerChanges(
  context: StoreContext,
  idOrName: string,
  options: TreeOptions = {},
): AsyncGenerator<Change> {
  const { snapshot } = await openContainer(context, idOrName);
  yield* changes(snapshot.layout(), options);
}

/**
 * The whole tree of a container as a tar. It is mounted as long as this is read.
 * @throws StrataError `NotFound`
 */
export async function* exportContainer(
  context: StoreContext,
  idOrName: string,
  options: TreeOptions = {},
): AsyncGenerator<Buffer> {
  const { snapshot } = await openContainer(context, idOrName);
  await using mount = await snapshot.mount();
  yield* diff({ format: "plain", dir: mount.path }, options);
}
