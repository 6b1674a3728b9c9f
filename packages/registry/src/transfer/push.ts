import { type Digest, forEachAtOnce, isStrataError, StrataError } from "@strata/core";
import {
  type Descriptor,
  defaultTag,
  type ImageRecord,
  isForeignLayer,
  Reference,
  type Store,
} from "@strata/store";
import type { Registries } from "../registries.ts";
import type { OpenBlob } from "./blob-upload.ts";
import { MountSources } from "./mount-sources.ts";
import { pushBlob } from "./push-blob.ts";
import { PushReport } from "./push-report.ts";

/** What is being done about a layer, in this order. */
export type PushStatus =
  /** It is its turn soon: whether the registry has it is not known yet. */
  | "preparing"
  | "pushing"
  | "pushed"
  /** The repository had it before. */
  | "exists"
  /** The registry took it from another of its repositories. */
  | "mounted"
  /** It may not be passed on: whoever pulls the image has it from elsewhere. */
  | "skipped";

export interface PushProgress {
  /** Of the layer's blob. */
  readonly digest: Digest;
  /** 12 hex digits of the digest. */
  readonly label: string;
  readonly status: PushStatus;
  /** Bytes that the registry has, of so many. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** The repository that it was mounted from: `team/base`. */
  readonly from?: string;
}

export interface PushOptions {
  /** Layers that are sent at the same time. @defaultValue 5 */
  readonly uploads?: number;
  /**
   * Bytes of a blob that go in one request, unless the registry wants more; a larger blob goes in parts. A proxy before
   * a registry can have a limit.
   * @defaultValue 33_554_432
   */
  readonly partBytes?: number;
  readonly signal?: AbortSignal;
  /** Called as work goes on; it must not throw. */
  readonly onProgress?: (event: PushProgress) => void;
}

/** An image that a registry has now. */
export interface PushedImage {
  /** In full form. */
  readonly reference: string;
  /** Of the manifest, as it is in the store. */
  readonly digest: Digest;
  /** Of the manifest, in bytes. */
  readonly sizeBytes: number;
}

const pushDefaults = { uploads: 5, partBytes: 32 * 2 ** 20 };

/** The push that `on-demand.ts` describes. */
export async function push(
  store: Store,
  registries: Registries,
  reference: Reference,
  options: PushOptions = {},
): Promise<PushedImage> {
  const { uploads, partBytes } = { ...pushDefaults, ...options };
  const { signal, onProgress } = options;
  assertPositive({ uploads, partBytes });
  const tag = tagOf(reference);
  const target = new Reference(reference.registry, reference.repository, tag);
  const { manifest, manifestBytes, digest, entries } = await findImage(store, target);
  const client = registries.repository(target, { access: "push" });
  const sources = new MountSources(store, target);

  const reports = new Map<Digest, PushReport>();
  for (const layer of manifest.layers) {
    if (reports.has(layer.digest)) continue;
    const report = new PushReport(layer, onProgress);
    if (isForeignLayer(layer.mediaType)) report.skipped();
    reports.set(layer.digest, report);
  }
  const blobs = await openBlobs(store, [...manifest.layers, manifest.config]);
  try {
    await forEachAtOnce(blobs, uploads, signal, async (blob, signal) => {
      const report = reports.get(blob.digest);
      await pushBlob(blob, { store, client, target, sources, partBytes, report, signal });
    });
  } finally {
    await Promise.all(blobs.map(({ file }) => file.close()));
  }
  const { mediaType } = entries[0];
  await client.putManifest(tag, { bytes: manifestBytes, mediaType }, signal);
  return { reference: target.toString(), digest, sizeBytes: manifestBytes.length };
}

function assertPositive(options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Number.isInteger(value) || value < 1)
      throw new TypeError(`${name} must be at least 1, not ${value}`);
  }
}

/** @throws StrataError `InvalidArgument`, in docker's words, for a digest: nobody can choose that */
function tagOf({ familiarName, tag = defaultTag, digest }: Reference): string {
  if (digest === undefined) return tag;
  const name = `${familiarName}@${digest}`;
  const message = `cannot push a digest reference: ${name}; push a tag, which \`strata tag ${name} ${familiarName}:${tag}\` makes`;
  throw new StrataError("InvalidArgument", message);
}

/** In docker's words: they depend on whether there is another tag of this repository. */
async function findImage(store: Store, target: Reference): Promise<ImageRecord> {
  try {
    return await store.resolve(target.toString());
  } catch (error) {
    if (!isStrataError(error, "NotFound")) throw error;
    const prefix = `${target.name}:`;
    const others = (await store.images()).flatMap(({ references }) =>
      references.filter((other) => other.startsWith(prefix)).map((other) => other.slice(prefix.length)),
    );
    const message =
      others.length === 0
        ? `An image does not exist locally with the tag: ${target.familiarName}`
        : `tag does not exist: ${target.familiar()}; there is ${others.join(", ")}`;
    throw new StrataError("NotFound", message, { cause: error });
  }
}

/** All at once: what is not as it must be is found before anything is sent, and nobody can remove one before its turn. */
async function openBlobs(store: Store, descriptors: readonly Descriptor[]): Promise<OpenBlob[]> {
  const opened = new Map<Digest, OpenBlob>();
  try {
    for (const { digest, size, mediaType } of descriptors) {
      if (opened.has(digest) || isForeignLayer(mediaType)) continue;
      opened.set(digest, { digest, size, file: await store.openBlob({ digest, size }) });
    }
    return [...opened.values()];
  } catch (error) {
    for (const { file } of opened.values()) await file.close();
    throw error;
  }
}
