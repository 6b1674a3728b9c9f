export type { ImageRecord } from "./content/image-record.ts";
export type { ContainerConfig, Descriptor, HistoryItem, ImageConfig, Manifest } from "./documents.ts";
export type { ImportOptions } from "./import.ts";
export type { LoadedImage, LoadOptions } from "./load.ts";
export type { ImageProgress, LayerProgress, OnProgress, ProgressEvent } from "./progress.ts";
export { defaultRegistry, defaultTag, parseName, parseReference, Reference } from "./reference.ts";
export type { SaveOptions } from "./save.ts";
export { Store, type StoreOptions } from "./store.ts";
export type {
  CheckOptions,
  CommitOptions,
  CommitResult,
  ContainerRecord,
  ContainerSummary,
  CreateContainerOptions,
  DiskUsage,
  HistoryEntry,
  ImageFilter,
  ImageSummary,
  ImagesOptions,
  RemovalEvent,
  RemoveImagesOptions,
  UsageLine,
} from "./types.ts";
