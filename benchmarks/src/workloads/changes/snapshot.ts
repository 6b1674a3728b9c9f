import type { LayerLayout } from "@strata/core";
import { changes, diff } from "@strata/layer";
import type { Trial, TrialContext } from "../../workload.ts";
import { commitTree, openRoot, unlessAborted } from "../snapshots.ts";
import { changeFiles, writeOriginal } from "./change-files.ts";

const parentName = "parent";
const key = "changed";

/** Commit the tree, and change it in an active snapshot on top. */
export async function prepareSnapshot(context: TrialContext): Promise<void> {
  const { signal } = context;
  await using driver = await openRoot(context);
  await commitTree(driver, parentName, undefined, (path) => writeOriginal(context, path));
  await unlessAborted(context);
  const active = await driver.prepare(key, parentName, { signal });
  await using mount = await active.mount();
  changeFiles(context, mount.path);
}

export async function openSnapshot(context: TrialContext): Promise<Trial> {
  const { signal } = context;
  await using driver = await openRoot(context);
  const layout = (await driver.open(key)).layout();
  return {
    operations: [
      { name: "changes", run: () => listChanges(layout, signal) },
      {
        name: "diff",
        work: { bytes: await archiveBytes(layout, signal) },
        run: () => archiveBytes(layout, signal),
      },
    ],
    // The driver is not needed any more: what reads its layouts needs only them.
    [Symbol.asyncDispose]: async () => {},
  };
}

async function listChanges(layout: LayerLayout, signal: AbortSignal): Promise<number> {
  let count = 0;
  for await (const _ of changes(layout, { signal })) count += 1;
  return count;
}

async function archiveBytes(layout: LayerLayout, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  for await (const chunk of diff(layout, { signal })) bytes += chunk.length;
  return bytes;
}
