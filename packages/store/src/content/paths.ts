import { join } from "node:path";
import { type Digest, digestHex } from "@strata/core";

/**
 * The files of a store:
 *
 *     <root>/                 mode 0700
 *       oci-layout            the version of the layout
 *       index.json            one descriptor a reference, one for each image without any
 *       blobs/sha256/<hex>    layers as they came, configs, manifests
 *       containers/<id>.json
 *       downloads/<hex>       blobs that have not arrived in full; flocked while somebody downloads them
 *       ingest/<id>/          staging of one load, pull, import or commit; `owner` is flocked while it lives
 *       uploads/<hex>         where an upload to a registry goes on; flocked while somebody sends it
 *       drivers/<name>/       where the command lets drivers keep what is unpacked
 *       lock                  flock; held for metadata only, never while bytes move
 */
export const layoutFile = (root: string): string => join(root, "oci-layout");
export const indexFile = (root: string): string => join(root, "index.json");
export const lockFile = (root: string): string => join(root, "lock");
export const blobsDir = (root: string): string => join(root, "blobs", "sha256");
export const containersDir = (root: string): string => join(root, "containers");
export const downloadsDir = (root: string): string => join(root, "downloads");
export const driversDir = (root: string): string => join(root, "drivers");
export const ingestDir = (root: string): string => join(root, "ingest");
export const uploadsDir = (root: string): string => join(root, "uploads");
export const blobPath = (root: string, digest: Digest): string => join(blobsDir(root), digestHex(digest));
export const downloadPath = (root: string, digest: Digest): string =>
  join(downloadsDir(root), digestHex(digest));
/** @param of - a digest of what goes where */
export const uploadPath = (root: string, of: Digest): string => join(uploadsDir(root), digestHex(of));
