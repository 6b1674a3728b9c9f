import { type Digest, isStrataError, StrataError } from "@strata/core";
import { diff } from "@strata/layer";
import { applyConfigChanges } from "../config-changes.ts";
import type { StoreContext } from "../content/context.ts";
import type { ImageRecord } from "../content/image-record.ts";
import { creationTime } from "../creation-time.ts";
import type { ImageConfig } from "../documents.ts";
import { fullHistory } from "../images/full-history.ts";
import { resolveImage } from "../images/resolve.ts";
import { ingestImage, layersOf } from "../ingest/ingest-image.ts";
import { noLimits } from "../no-limits.ts";
import { parseTarget } from "../reference.ts";
import { shortId } from "../short-id.ts";
import { type Junk, JunkCollector } from "./junk.ts";
import type { ContainerRecord } from "./records.ts";
import { openContainer } from "./snapshot.ts";

export interface CommitOptions {
  /** Names the image. @defaultValue it gets no name */
  readonly reference?: string;
  readonly author?: string;
  /** The comment of the new step of its history. */
  readonly message?: string;
  /** Lines of a Dockerfile for the config: `CMD ["sh"]`, `ENV A=b`. */
  readonly changes?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface CommitResult {
  readonly id: Digest;
  /** Bytes of the regular files of the new layer. */
  readonly size: number;
  /** Caches and temporary files that the new layer holds, the largest first. */
  readonly junk: readonly Junk[];
}

/**
 * Make an image of a container: the layers of its image, and one that holds exactly what the container changed. The
 * container stays as it is, and may be mounted; files are read as they are at the moment. A change of nothing adds a
 * step to the history, but no layer.
 *
 * Cost: reads the change once, writes it twice: as a blob, and unpacked.
 * @throws StrataError `NotFound`, if there is no such container
 * @throws StrataError `FailedPrecondition`, if the container's image has been removed
 * @throws StrataError `InvalidArgument`, for a reference or a change that cannot be read
 */
export async function commitContainer(
  context: StoreContext,
  idOrName: string,
  { reference, author, message, changes = [], signal }: CommitOptions = {},
): Promise<CommitResult> {
  const target = reference === undefined ? undefined : parseTarget(reference).toString();
  const { record, snapshot } = await openContainer(context, idOrName);
  const image = await imageOf(context, record);
  const config = applyConfigChanges(image.config.config ?? {}, changes);
  const created = creationTime();
  const { architecture, os, variant } = image.config;
  const entrypoint = image.config.config?.Entrypoint ?? [];

  const junk = new JunkCollector();
  const changed = diff(snapshot.layout(), { ...(signal && { signal }) });
  try {
    const tar = await unlessEmpty(changed);
    const ingested = await ingestImage(
      context,
      `commit of container ${record.name}`,
      {
        layers: [...layersOf(image), ...(tar ? [{ tar: junk.watch(tar) }] : [])],
        config: (diffIds): ImageConfig => ({
          created,
          ...(author !== undefined && { author }),
          architecture,
          os,
          ...(variant && { variant }),
          config,
          rootfs: { type: "layers", diff_ids: diffIds },
          history: [
            ...fullHistory(image.config),
            {
              created,
              // As docker: what ran in the container.
              created_by: record.command.slice(entrypoint.length).join(" "),
              ...(author !== undefined && { author }),
              ...(message !== undefined && { comment: message }),
              ...(tar === undefined && { empty_layer: true }),
            },
          ],
        }),
        parentId: image.id,
        ...(target !== undefined && { reference: target }),
      },
      {
        limits: noLimits,
        ...(signal && { signal }),
      },
    );
    const size = tar === undefined ? 0 : (ingested.layerSizes.at(-1) ?? 0);
    return { id: ingested.id, size, junk: junk.result() };
  } finally {
    // Whoever was to read it may not have come to that.
    await changed.return(undefined);
  }
}

async function imageOf(
  context: StoreContext,
  { name, imageId, image }: ContainerRecord,
): Promise<ImageRecord> {
  try {
    return await resolveImage(context, imageId);
  } catch (cause) {
    if (!isStrataError(cause, "NotFound")) throw cause;
    throw new StrataError(
      "FailedPrecondition",
      `cannot commit container ${name}: its image ${image} (${shortId(imageId)}) has been removed; load it again`,
      { cause },
    );
  }
}

const tarBlockBytes = 512;

/** The archive, or undefined if it has no entry: then it begins with the block of zeros that ends it. */
async function unlessEmpty(tar: AsyncGenerator<Buffer>): Promise<AsyncIterable<Buffer> | undefined> {
  const first = await tar.next();
  if (first.done || first.value.subarray(0, tarBlockBytes).every((byte) => byte === 0)) return undefined;
  return (async function* () {
    yield first.value;
    yield* tar;
  })();
}
