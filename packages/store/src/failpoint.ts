import { failpoint as comeTo } from "@strata/core";

/**
 * The points of the store where a crash leaves something behind: what has just happened there. Those of what it does
 * through core and a driver are core's.
 */
export const failpoints = [
  "layout.directories-made",
  "staging.directory-made",
  "staging.owned",
  "staging.held",
  "staging.blob-linked",
  "staging.blob-written",
  "staging.emptied",
  "staging.removed",
  "download.locked",
  "download.linked",
  "download.bytes-written",
  "download.written",
  "receive.partial-blobs-removed",
  "layer.prepared",
  "layer.unpacked",
  "layer.synced",
  "layer.committed",
  "layer.replaced",
  "layer.dropped",
  "ingest.layers-brought",
  "ingest.documents-staged",
  "ingest.durable",
  "ingest.blob-published",
  "ingest.blobs-durable",
  "ingest.published",
  "index.replaced",
  "container.held",
  "container.snapshot-made",
  "container.record-written",
  "container.unmounted",
  "container.record-deleted",
  "container.snapshot-removed",
  "blob.dropped",
  "reap.active-removed",
  "gc.staging-reaped",
  "gc.downloads-removed",
  "gc.files-removed",
  "gc.orphan-removed",
  "gc.layers-dropped",
  "repair.layer-unpacked",
  "repair.blob-rebuilt",
  "repair.blob-deleted",
  "save.blobs-opened",
] as const;

/** See {@link comeTo}. */
export const failpoint: (name: (typeof failpoints)[number]) => void = comeTo<(typeof failpoints)[number]>;
