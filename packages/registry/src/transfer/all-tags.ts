import { parseReference, type Reference } from "@strata/store";
import type { Registries } from "../registries.ts";

/** What belongs to an image has such tags in its place: its signatures, its bills of materials, its referrers. */
const tagOfAttachment = /^sha256-[0-9a-f]{64}(\.\w+)?$/;

/**
 * The references of all images that a repository has a tag for, to be pulled one after the other.
 * @param repository - its tag and digest do not matter
 * @throws StrataError as `RegistryClient.tags`; `InvalidArgument` for what is no tag
 */
export async function* allTags(
  registries: Registries,
  repository: Reference,
  signal?: AbortSignal,
): AsyncGenerator<Reference> {
  for await (const tag of registries.repository(repository).tags(signal)) {
    if (!tagOfAttachment.test(tag)) yield parseReference(`${repository.name}:${tag}`);
  }
}
