import { type Digest, digestOf, isDigest, StrataError } from "@strata/core";
import { type HttpAnswer, headerOf } from "../http/message.ts";
import { assertManifestReference, type RepositoryAt } from "./repository.ts";

/** What is accepted unless said otherwise; without all four, an old registry answers with another manifest. */
export const manifestTypes: readonly string[] = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

const schema1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/;

export interface ManifestOptions {
  /** The media types that are understood. @defaultValue {@link manifestTypes} */
  readonly accept?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** A manifest or an index, as it came. */
export interface FetchedManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
  /** Of {@link bytes}; it is the one that was asked for, or the one that the registry named. */
  readonly digest: Digest;
}

/** What a registry says of a manifest without sending it. */
export interface ManifestHead {
  readonly mediaType: string;
  /** Some registries do not say. */
  readonly digest: Digest | undefined;
  readonly sizeBytes: number | undefined;
}

export async function getManifest(
  repository: RepositoryAt,
  reference: string,
  { accept = manifestTypes, signal }: ManifestOptions = {},
): Promise<FetchedManifest> {
  assertManifestReference(reference);
  const answer = await repository.send("pull", {
    method: "GET",
    to: repository.path(`manifests/${reference}`),
    headers: { accept: accept.join(", ") },
    signal,
  });
  const what = nameOf(repository, reference);
  if (answer.status !== 200) {
    const missing = answer.status === 404 ? `manifest for ${what} not found` : `manifest for ${what}`;
    throw await repository.refusal("pull", answer, missing);
  }
  const mediaType = mediaTypeOf(answer, what);
  const digest = digestOf(answer.bytes);
  const expected = isDigest(reference) ? reference : headerOf(answer, "docker-content-digest");
  if (isDigest(expected) && expected !== digest) {
    const message = `manifest for ${what}: what ${repository.endpoint.host} sent has the digest ${digest}, not ${expected}`;
    throw new StrataError("Corrupt", message);
  }
  return { bytes: answer.bytes, mediaType, digest };
}

/** @returns undefined if there is none */
export async function headManifest(
  repository: RepositoryAt,
  reference: string,
  { accept = manifestTypes, signal }: ManifestOptions = {},
): Promise<ManifestHead | undefined> {
  assertManifestReference(reference);
  const answer = await repository.send("pull", {
    method: "HEAD",
    alone: true,
    to: repository.path(`manifests/${reference}`),
    headers: { accept: accept.join(", ") },
    signal,
  });
  if (answer.status === 404) return undefined;
  const what = nameOf(repository, reference);
  if (answer.status !== 200) throw await repository.refusal("pull", answer, `manifest for ${what}`);
  const digest = headerOf(answer, "docker-content-digest");
  return {
    mediaType: mediaTypeOf(answer, what),
    digest: isDigest(digest) ? digest : undefined,
    sizeBytes: lengthOf(answer),
  };
}

export async function putManifest(
  repository: RepositoryAt,
  reference: string,
  manifest: { readonly bytes: Uint8Array; readonly mediaType: string },
  signal?: AbortSignal,
): Promise<Digest> {
  assertManifestReference(reference);
  const answer = await repository.send("push", {
    method: "PUT",
    to: repository.path(`manifests/${reference}`),
    headers: { "content-type": manifest.mediaType },
    body: manifest.bytes,
    signal,
  });
  const what = nameOf(repository, reference);
  if (answer.status !== 201 && answer.status !== 200 && answer.status !== 202) {
    throw await repository.refusal("push", answer, `push of the manifest of ${what}`);
  }
  const digest = digestOf(manifest.bytes);
  const said = headerOf(answer, "docker-content-digest");
  if (isDigest(said) && said !== digest) {
    const message = `push of the manifest of ${what}: ${repository.endpoint.host} keeps it as ${said}, not ${digest}`;
    throw new StrataError("Corrupt", message);
  }
  return digest;
}

/** @returns whether there was one */
export async function deleteManifest(
  repository: RepositoryAt,
  reference: string,
  signal?: AbortSignal,
): Promise<boolean> {
  assertManifestReference(reference);
  const to = repository.path(`manifests/${reference}`);
  const answer = await repository.send("delete", { method: "DELETE", to, signal });
  if (answer.status === 404) return false;
  if (answer.status === 202 || answer.status === 200 || answer.status === 204) return true;
  throw await repository.refusal("delete", answer, `delete of ${nameOf(repository, reference)}`);
}

export function lengthOf(answer: HttpAnswer): number | undefined {
  const length = headerOf(answer, "content-length");
  return length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
}

function mediaTypeOf(answer: HttpAnswer, what: string): string {
  const mediaType = headerOf(answer, "content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (!schema1.test(mediaType)) return mediaType;
  const message = `manifest for ${what}: the registry has it in docker's schema 1 only, which has been out of use since 2017; push the image anew`;
  throw new StrataError("Unsupported", message);
}

/** As docker prints references: `debian:12`, `debian@sha256:...`. */
function nameOf({ familiarName }: RepositoryAt, reference: string): string {
  return `${familiarName}${isDigest(reference) ? "@" : ":"}${reference}`;
}
