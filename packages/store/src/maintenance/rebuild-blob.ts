import type { CommittedSnapshot } from "@strata/core";
import { diff } from "@strata/layer";
import type { StoreContext } from "../content/context.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { failpoint } from "../failpoint.ts";
import { hashLayer } from "../ingest/hash-layer.ts";
import type { Staging } from "../ingest/staging.ts";
import { noLimits } from "../no-limits.ts";
import type { ExamineOptions } from "./options.ts";
import type { StoredLayer } from "./stored-layer.ts";

/**
 * Make the blob of a layer anew from its files. That works for what was committed here: the diff of a layer is
 * canonical. An archive that another tool wrote has an order and headers that files do not tell.
 * @returns whether it came out as it was; else nothing has changed
 */
export async function rebuildBlob(
  { root }: StoreContext,
  staging: Staging,
  { blob, diffId }: StoredLayer,
  snapshot: CommittedSnapshot,
  { signal }: ExamineOptions,
): Promise<boolean> {
  if (blob !== diffId) return false; // Compressed.
  const path = staging.newFile();
  const options = { ...(signal && { signal }) };
  const made = await hashLayer(diff(snapshot.layout(), options), {
    ...options,
    keepAs: path,
    limits: noLimits,
  });
  if (made.blob !== blob) return false;
  staging.addBlob(blob, path);
  await staging.sync();
  await withStoreLock(root, () => staging.publish([blob]), signal);
  failpoint("repair.blob-rebuilt");
  return true;
}
