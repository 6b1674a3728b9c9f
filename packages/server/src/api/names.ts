import { type Digest, isDigest, isStrataError } from "@strata/core";
import { type ManifestName, parseName } from "@strata/store";
import { RegistryError } from "../http/registry-error.ts";

/**
 * The full name of the repository that a client names: `debian` and `library/debian` are `docker.io/library/debian`.
 * @throws RegistryError NAME_INVALID
 */
export function repositoryName(text: string): string {
  try {
    const { name, tag, digest } = parseName(text);
    if (tag === undefined && digest === undefined) return name;
  } catch (error) {
    if (!isStrataError(error, "InvalidArgument")) throw error;
    throw new RegistryError(400, "NAME_INVALID", error.message);
  }
  throw new RegistryError(400, "NAME_INVALID", `${text} is not the name of a repository`);
}

/** @throws RegistryError DIGEST_INVALID */
export function digestOf(text: string | null): Digest {
  if (isDigest(text)) return text;
  const message = `${text ?? "nothing"} is not a digest: "sha256:" and 64 hex digits`;
  throw new RegistryError(400, "DIGEST_INVALID", message);
}

/** What names a manifest; undefined, if nothing can have this name. @throws RegistryError DIGEST_INVALID */
export function manifestName(name: string, reference: string): ManifestName | undefined {
  if (reference.includes(":")) return { digest: digestOf(reference) };
  try {
    return parseName(`${name}:${reference}`).tag === reference ? { tag: reference } : undefined;
  } catch (error) {
    if (isStrataError(error, "InvalidArgument")) return undefined;
    throw error;
  }
}
