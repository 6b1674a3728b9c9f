import { StrataError } from "@strata/core";
import {
  configSchema,
  type Descriptor,
  type ImageConfig,
  indexSchema,
  manifestSchema,
  parseDocument,
} from "../documents.ts";
import { isIndexType, isManifestType } from "../media-types.ts";
import { formatPlatform, type Platform, platformRank } from "../platform.ts";

/** Indexes within indexes; nobody writes more than two. */
const deepest = 8;

/** Where an index and what it leads to come from. */
export interface DocumentSource {
  /** Names it in errors. */
  readonly what: string;
  /** The bytes that a descriptor of a document points to, verified. */
  read(descriptor: Descriptor): Promise<Buffer>;
}

/** The image manifests that are meant, those of nested indexes too; not what says something about an image. */
export async function imageManifests(
  source: DocumentSource,
  entries: readonly Descriptor[],
  depth = 0,
): Promise<Descriptor[]> {
  if (depth > deepest) {
    throw new StrataError("InvalidArgument", `${source.what}: indexes nested more than ${deepest} deep`);
  }
  const found: Descriptor[] = [];
  for (const entry of entries) {
    if (isIndexType(entry.mediaType)) {
      const what = `${source.what}: index ${entry.digest}`;
      const { manifests } = parseDocument(indexSchema, await source.read(entry), what);
      found.push(...(await imageManifests(source, manifests, depth + 1)));
    } else if (isManifestType(entry.mediaType) && !isAttestation(entry)) {
      found.push(entry);
    }
  }
  return found;
}

function isAttestation({ platform, annotations }: Descriptor): boolean {
  return platform?.os === "unknown" || annotations?.["vnd.docker.reference.type"] !== undefined;
}

/** The manifest that suits a platform best. @returns undefined if none does */
export async function bestManifest(
  source: DocumentSource,
  candidates: readonly Descriptor[],
  wanted: Platform,
): Promise<Descriptor | undefined> {
  let best: { descriptor: Descriptor; rank: number } | undefined;
  for (const descriptor of candidates) {
    const rank = platformRank(wanted, descriptor.platform ?? (await readConfig(source, descriptor)));
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = { descriptor, rank };
  }
  return best?.descriptor;
}

async function readConfig(source: DocumentSource, descriptor: Descriptor): Promise<ImageConfig> {
  const what = `${source.what}: manifest ${descriptor.digest}`;
  const { config } = parseDocument(manifestSchema, await source.read(descriptor), what);
  return parseDocument(configSchema, await source.read(config), `${source.what}: config ${config.digest}`);
}

/**
 * The manifest of an index that suits a platform best.
 * @throws StrataError `NotFound`, if none does
 */
export async function chooseManifest(
  source: DocumentSource,
  index: Buffer,
  wanted: Platform,
): Promise<Descriptor> {
  const { manifests } = parseDocument(indexSchema, index, `${source.what}: index`);
  const chosen = await bestManifest(source, await imageManifests(source, manifests), wanted);
  if (chosen === undefined) throw noneMatches(wanted);
  return chosen;
}

/** In docker's words. */
export function noneMatches(wanted: Platform): StrataError {
  return new StrataError(
    "NotFound",
    `no matching manifest for ${formatPlatform(wanted)} in the manifest list entries`,
  );
}
