export type { BlobHead, BlobOptions, FetchedBlob } from "./api/blobs.ts";
export { faultOf, type RegistryFault, type RegistryFaultItem } from "./api/fault.ts";
export {
  type FetchedManifest,
  type ManifestHead,
  type ManifestOptions,
  manifestTypes,
} from "./api/manifests.ts";
export type { Referrer, ReferrersOptions } from "./api/referrers.ts";
export type { RegistryClient, SourceOptions } from "./api/registry-client.ts";
export type { RegistryHost } from "./api/registry-host.ts";
export type { Upload, UploadBody } from "./api/uploads.ts";
export type { Mirror, RegistriesConfig, RegistrySettings } from "./config/registries-config.ts";
export type {
  Credential,
  IdentityTokenCredential,
  PasswordCredential,
} from "./credentials/credential.ts";
export { Credentials, type FindOptions } from "./credentials/credentials.ts";
export type { Environment } from "./environment.ts";
export { registryHost } from "./hosts.ts";
export type { HttpOptions } from "./http/http-client.ts";
export type { ConnectionOptions } from "./http/pools.ts";
export type { RetryOptions } from "./http/retry.ts";
export { type OpenRepositoryOptions, Registries, type RegistriesOptions } from "./registries.ts";
export type { SearchOptions, SearchResult } from "./search.ts";
export { allTags } from "./transfer/all-tags.ts";
export { push } from "./transfer/on-demand.ts";
export {
  type FindCurrentOptions,
  findCurrent,
  type PulledImage,
  type PullOptions,
  pull,
} from "./transfer/pull.ts";
export type { PushedImage, PushOptions, PushProgress, PushStatus } from "./transfer/push.ts";
