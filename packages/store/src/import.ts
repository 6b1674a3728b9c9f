import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import type { Digest } from "@strata/core";
import { diff } from "@strata/layer";
import { applyConfigChanges } from "./config-changes.ts";
import type { StoreContext } from "./content/context.ts";
import { creationTime } from "./creation-time.ts";
import type { ImageConfig } from "./documents.ts";
import { inContext } from "./in-context.ts";
import { ingestImage } from "./ingest/ingest-image.ts";
import type { IngestOptions } from "./ingest/layer-input.ts";
import { hostPlatform, parsePlatform } from "./platform.ts";
import { parseTarget } from "./reference.ts";
import { abortable } from "./streams/abortable.ts";
import { readRange } from "./streams/range.ts";

export interface ImportOptions extends IngestOptions {
  /** Names the image. @defaultValue it gets no name */
  readonly reference?: string;
  /** Lines of a Dockerfile for the config: `CMD ["sh"]`, `ENV A=b`. */
  readonly changes?: readonly string[];
  /** The comment of the one step of its history. @defaultValue `Imported from <name>` */
  readonly message?: string;
  /** `linux/arm/v7`. @defaultValue the host's */
  readonly platform?: string;
}

/**
 * Make an image of one layer from a root file system.
 * @param source - the path of a tar, compressed or not, or of a directory, or a tar's bytes
 * @throws StrataError `InvalidArgument`, if a reference, a change or the tar is not valid; `NoSpace`
 */
export async function importImage(
  context: StoreContext,
  source: string | Readable,
  options: ImportOptions = {},
): Promise<{ id: Digest }> {
  const { reference, changes = [], platform, signal } = options;
  signal?.throwIfAborted();
  const name = typeof source === "string" ? basename(source) : "-";
  const settings = applyConfigChanges({}, changes);
  const target = reference === undefined ? undefined : parseTarget(reference).toString();
  const { os, architecture, variant } = platform === undefined ? hostPlatform() : parsePlatform(platform);
  const created = creationTime();
  const comment = options.message ?? `Imported from ${name}`;
  const config = (diffIds: Digest[]): ImageConfig => ({
    created,
    architecture,
    ...(variant && { variant }),
    os,
    config: settings,
    rootfs: { type: "layers", diff_ids: diffIds },
    history: [{ created, comment }],
  });
  const image = {
    config,
    layers: [{ tar: await tarOf(source, signal) }],
    ...(target !== undefined && { reference: target }),
  };
  const { id } = await ingestImage(context, `import of ${name}`, image, options);
  return { id };
}

async function tarOf(source: string | Readable, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  if (typeof source !== "string") return abortable(source, signal);
  const isDirectory = await inContext(source, signal, async () => (await stat(source)).isDirectory());
  if (!isDirectory) return readRange({ path: source });
  return diff({ format: "plain", dir: source }, { ...(signal && { signal }) });
}
