import { digestOf } from "@strata/core";
import { dockerManifestSchema, parseDocument } from "../documents.ts";
import { inContext } from "../in-context.ts";
import type { ImageInput } from "../ingest/ingest-images.ts";
import type { IngestOptions, LayerInput } from "../ingest/layer-input.ts";
import { layerMediaType } from "../ingest/manifest.ts";
import { stageLayer } from "../ingest/stage-layer.ts";
import type { Staging } from "../ingest/staging.ts";
import { parseReference } from "../reference.ts";
import { compressionOf, readRange } from "../streams/range.ts";
import { type Archive, findMember, readDocument } from "./archive.ts";

/** The images of a docker archive, as `manifest.json` lists them. Layers are tars, compressed or not, by any name. */
export async function dockerImages(
  archive: Archive,
  staging: Staging,
  options: IngestOptions,
): Promise<ImageInput[]> {
  const bytes = await readDocument(archive, "manifest.json");
  const items = parseDocument(dockerManifestSchema, bytes, `${archive.what}: manifest.json`);
  const images: ImageInput[] = [];
  for (const item of items) {
    const configBytes = await readDocument(archive, item.Config);
    const references: string[] = [];
    for (const tag of item.RepoTags ?? []) references.push(await readTag(archive, tag));
    const layers: LayerInput[] = [];
    for (const name of item.Layers ?? []) layers.push(await readLayer(archive, name, staging, options));
    images.push({ what: `image ${digestOf(configBytes)}`, configBytes, layers, references });
  }
  return images;
}

async function readTag(archive: Archive, tag: string): Promise<string> {
  return await inContext(`${archive.what}: manifest.json`, undefined, async () =>
    parseReference(tag).toString(),
  );
}

async function readLayer(
  archive: Archive,
  name: string,
  staging: Staging,
  options: IngestOptions,
): Promise<LayerInput> {
  const source = await findMember(archive, name);
  const what = `layer ${name} of ${archive.what}`;
  if (layerMediaType(await compressionOf(source)) === undefined) {
    return (await stageLayer(staging, readRange(source), what, options)).input;
  }
  return { what, source, staged: archive.staged };
}
