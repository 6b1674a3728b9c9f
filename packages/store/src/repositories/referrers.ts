import { blobSize, readBlob } from "../content/blobs.ts";
import { type ImageIndex, indexSchema, type Manifest, manifestSchema, parseDocument } from "../documents.ts";
import { isManifestType } from "../media-types.ts";
import type { RepositoryEntry } from "./entries.ts";

/** What says something about a manifest: a signature, a list of contents. */
export interface Referrer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The manifest that one says something about. @see OCI image-spec, manifest.md, "subject" */
export function subjectOf(document: Manifest | ImageIndex): { readonly subject?: string } {
  const { subject } = document;
  return typeof subject === "object" && subject && "digest" in subject && typeof subject.digest === "string"
    ? { subject: subject.digest }
    : {};
}

/**
 * Those of some manifests that say something about `subject`.
 * Cost: reads each of the manifests.
 * @see OCI distribution-spec, "Listing Referrers"
 */
export async function referrersAmong(
  root: string,
  entries: readonly RepositoryEntry[],
  subject: string,
): Promise<Referrer[]> {
  const referrers: Referrer[] = [];
  for (const entry of new Map(entries.map((each) => [each.digest, each])).values()) {
    const document = await readDocument(root, entry);
    if (document === undefined || subjectOf(document).subject !== subject) continue;
    const { mediaType, digest, size } = entry;
    const artifactType = artifactTypeOf(document);
    const { annotations } = document;
    referrers.push({
      mediaType,
      digest,
      size,
      ...(artifactType !== undefined && { artifactType }),
      ...(isTexts(annotations) && { annotations }),
    });
  }
  return referrers;
}

/** One that was removed since is none. */
async function readDocument(
  root: string,
  { digest, mediaType }: RepositoryEntry,
): Promise<Manifest | ImageIndex | undefined> {
  if ((await blobSize(root, digest)) === undefined) return undefined;
  const what = `manifest ${digest}`;
  const bytes = await readBlob(root, digest, what);
  return isManifestType(mediaType)
    ? parseDocument(manifestSchema, bytes, what)
    : parseDocument(indexSchema, bytes, what);
}

/** An image that says none is of the type of its config. */
function artifactTypeOf(document: Manifest | ImageIndex): string | undefined {
  if (typeof document["artifactType"] === "string" && document["artifactType"] !== "") {
    return document["artifactType"];
  }
  return document.config?.mediaType;
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === "object" && value !== null && Object.values(value).every(isText);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
