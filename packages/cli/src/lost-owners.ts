import type { StorageDriver } from "@strata/core";
import type { Context } from "./context.ts";

/** Say that unpacked files will not keep their owners, where the driver cannot keep them and nobody asked for that. */
export async function warnOfLostOwners(
  { stderr }: Context,
  { capabilities: { ownership } }: StorageDriver,
  askedFor = false,
): Promise<void> {
  if (ownership.supported || askedFor) return;
  await stderr.line(
    `WARNING: unpacked files lose their owners, and devices are left out: ${ownership.reason}; ` +
      "blobs keep everything; --ignore-chown-errors hides this warning",
  );
}
