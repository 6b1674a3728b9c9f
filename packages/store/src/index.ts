export type { TreeOptions } from "./containers/changes.ts";
export type { CommitOptions, CommitResult } from "./containers/commit.ts";
export type { CreateContainerOptions } from "./containers/create.ts";
export type { Junk } from "./containers/junk.ts";
export type { ContainerSummary } from "./containers/list.ts";
export type { UnmountContainerOptions } from "./containers/mount.ts";
export { type ContainerRecord, findContainer, listContainers } from "./containers/records.ts";
export type { RemoveContainerOptions } from "./containers/remove.ts";
export type { StoreContext } from "./content/context.ts";
export { type CurrentImage, currentImage } from "./content/current.ts";
export type { ImageRecord } from "./content/image-record.ts";
export type { ContainerConfig, Descriptor, HistoryItem, ImageConfig, Manifest } from "./documents.ts";
export { failpoints } from "./failpoint.ts";
export type { ManifestBytes } from "./image-manifest.ts";
export { type ImageFilter, parseImageFilter } from "./images/filters.ts";
export type { HistoryEntry } from "./images/history.ts";
export type { ImageSummary, ImagesOptions } from "./images/list.ts";
export type { Removal, RemovalEvent, RemoveImagesOptions } from "./images/remove.ts";
export type { ImportOptions } from "./import.ts";
export type { IngestedImage } from "./ingest/ingest-images.ts";
export type { IngestOptions } from "./ingest/layer-input.ts";
export { SyncAhead, type SyncAheadContext } from "./ingest/sync-ahead.ts";
export type { LoadedImage, LoadOptions } from "./load.ts";
export type { CheckOptions } from "./maintenance/options.ts";
export type { ContainerUsage, DiskUsage, ImageUsage, UsageLine } from "./maintenance/usage.ts";
export { isForeignLayer } from "./media-types.ts";
export { listImages } from "./on-demand.ts";
export { formatPlatform, hostPlatform, type Platform, parsePlatform, platformRank } from "./platform.ts";
export type { ImageProgress, LayerProgress, LayerStatus, OnProgress, ProgressEvent } from "./progress.ts";
export type { ReceiveOptions, RemoteImage } from "./receive.ts";
export {
  defaultRegistry,
  defaultTag,
  parseName,
  parseReference,
  parseTarget,
  Reference,
} from "./reference.ts";
export type { NewManifest, PutManifest } from "./repositories/put-manifest.ts";
export type { Referrer } from "./repositories/referrers.ts";
export type { ManifestDescriptor, ManifestName, Repositories } from "./repositories/repositories.ts";
export type { AppendOptions, Upload } from "./repositories/upload.ts";
export type { SaveOptions } from "./save.ts";
export { Store, type StoreOptions } from "./store.ts";
export type { UploadNote, UploadTarget } from "./uploads/upload-note.ts";
