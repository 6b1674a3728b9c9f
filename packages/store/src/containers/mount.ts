import { StrataError } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { openContainer } from "./snapshot.ts";

/**
 * Make the tree of a container visible. It stays so when this process ends, until {@link unmountContainer}, which any
 * process may call. Of one that is mounted already, this returns the path.
 * @returns the absolute path of the tree's root
 * @throws StrataError `NotFound`; `Unsupported`, if the host refuses the mount
 */
export async function mountContainer(context: StoreContext, idOrName: string): Promise<string> {
  const { snapshot } = await openContainer(context, idOrName);
  const mount = await snapshot.mount({ persistent: true });
  return mount.path;
}

export interface UnmountContainerOptions {
  /** Detach it even if files are open; they stay usable until they are closed. @defaultValue false */
  readonly force?: boolean;
}

/**
 * @throws StrataError `NotFound`
 * @throws StrataError `FailedPrecondition`, if it is not mounted
 * @throws StrataError `Busy`, if files in it are open
 */
export async function unmountContainer(
  context: StoreContext,
  idOrName: string,
  { force = false }: UnmountContainerOptions = {},
): Promise<void> {
  const { record, snapshot } = await openContainer(context, idOrName);
  if (await snapshot.unmount({ force })) return;
  throw new StrataError("FailedPrecondition", `container ${record.name} is not mounted`);
}
