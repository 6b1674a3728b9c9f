import { type Capability, type DriverOptions, isStrataError, type StorageDriver } from "@strata/core";
import { overlay2 } from "@strata/driver-overlay2";
import { vfs } from "@strata/driver-vfs";

export type DriverFactory = (options: DriverOptions) => Promise<StorageDriver>;

/** A driver, and in words why it is the one. */
export interface Choice {
  readonly factory: DriverFactory;
  readonly driver: StorageDriver;
  readonly why: string;
}

/** Open overlay2 where the host lets us, else vfs, which works everywhere. */
export async function chooseDriver(options: DriverOptions): Promise<Choice> {
  try {
    const driver = await overlay2(options);
    return { factory: overlay2, driver, why: driver.capabilities.sharesParent.reason };
  } catch (error) {
    if (!isStrataError(error, "Unsupported")) throw error;
    return { factory: vfs, driver: await vfs(options), why: error.message };
  }
}

/** What a driver cannot do here, one sentence each. */
export function shortcomings({ capabilities }: StorageDriver): string[] {
  const described: ReadonlyArray<readonly [string, Capability]> = [
    ["layers do not share files", capabilities.sharesParent],
    ["views can be written", capabilities.readonlyViews],
    ["layers are unpacked one after the other", capabilities.rebase],
    ["owners, devices and privileged attributes are not kept", capabilities.ownership],
    ["extended attributes are not kept", capabilities.xattrs],
  ];
  return described
    .filter(([, capability]) => !capability.supported)
    .map(([lack, capability]) => `${lack}: ${capability.reason}`);
}
