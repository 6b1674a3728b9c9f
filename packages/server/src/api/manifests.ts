import { digestOf as digestOfBytes, isStrataError } from "@strata/core";
import { RegistryError } from "../http/registry-error.ts";
import type { Handler, Handlers } from "./context.ts";
import { manifestName } from "./names.ts";

/** @see OCI distribution-spec, "Pushing Manifests" */
const maxManifestBytes = 4 * 1024 * 1024;

const get: Handler = async ({ repositories }, exchange, { name, rest }) => {
  const which = manifestName(name, rest);
  const manifest = which && (await repositories.manifest(name, which));
  if (manifest === undefined) throw unknown(name, rest);
  const etag = `"${manifest.digest}"`;
  const headers = {
    "content-type": manifest.mediaType,
    "docker-content-digest": manifest.digest,
    etag,
  };
  if (exchange.request.headers["if-none-match"] === etag) {
    exchange.empty(304, { etag, "docker-content-digest": manifest.digest });
  } else {
    exchange.bytes(200, await repositories.readManifest(manifest), headers);
  }
};

const put: Handler = async ({ repositories }, exchange, { name, path, rest }) => {
  const which = manifestName(name, rest);
  if (which === undefined) throw new RegistryError(400, "MANIFEST_INVALID", `${rest} is not a tag`);
  const bytes = await exchange.body(maxManifestBytes);
  const actual = digestOfBytes(bytes);
  if ("digest" in which && which.digest !== actual) {
    throw new RegistryError(400, "DIGEST_INVALID", `the manifest's digest is ${actual}, not ${which.digest}`);
  }
  const mediaType = exchange.request.headers["content-type"]?.split(";")[0]?.trim() || mediaTypeOf(bytes);
  if (mediaType === undefined) {
    throw new RegistryError(
      400,
      "MANIFEST_INVALID",
      "there is no Content-Type, nor a mediaType in the manifest",
    );
  }
  try {
    const manifest = { bytes, mediaType, ...("tag" in which && { tag: which.tag }) };
    const { digest, subject } = await exchange.patiently(() => repositories.putManifest(name, manifest));
    exchange.empty(201, {
      location: `/v2/${path}/manifests/${digest}`,
      "docker-content-digest": digest,
      ...(subject !== undefined && { "oci-subject": subject }),
    });
  } catch (error) {
    if (isStrataError(error, "InvalidArgument")) {
      throw new RegistryError(400, "MANIFEST_INVALID", error.message, { cause: error });
    }
    if (isStrataError(error, "NotFound")) {
      throw new RegistryError(404, "MANIFEST_BLOB_UNKNOWN", error.message, { cause: error });
    }
    throw error;
  }
};

const remove: Handler = async ({ repositories }, exchange, { name, rest }) => {
  const which = manifestName(name, rest);
  const isRemoved =
    which !== undefined &&
    ("tag" in which
      ? await repositories.removeTag(name, which.tag)
      : await repositories.removeManifest(name, which.digest));
  if (!isRemoved) throw unknown(name, rest);
  exchange.empty(202);
};

export const manifestHandlers: Handlers = { GET: get, PUT: put, DELETE: remove };

function unknown(name: string, reference: string): RegistryError {
  return new RegistryError(404, "MANIFEST_UNKNOWN", `${name} has no manifest ${reference}`);
}

function mediaTypeOf(bytes: Buffer): string | undefined {
  try {
    const { mediaType }: { mediaType?: unknown } = JSON.parse(bytes.toString());
    return typeof mediaType === "string" ? mediaType : undefined;
  } catch {
    return undefined;
  }
}
