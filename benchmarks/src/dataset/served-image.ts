import { openAsBlob } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, digestHex, isDigest } from "@strata/core";
import { z } from "zod";
import { DockerRegistry } from "../peers/docker-registry.ts";
import type { ImageLayout } from "./image.ts";
import { type DatasetContext, once } from "./layers.ts";

/** What a registry calls the image, after its own name. */
export const servedName = "image:latest";

const descriptor = z.object({ mediaType: z.string(), digest: z.custom<Digest>(isDigest) });
const index = z.object({ manifests: z.tuple([descriptor]) });
const manifest = z.object({ config: descriptor, layers: z.array(descriptor) });

/**
 * The storage of a docker-registry that has the image, byte for byte, under {@link servedName}. Made once a run.
 * @returns a directory
 */
export async function servedImage(
  { signal }: DatasetContext,
  { layout }: Pick<ImageLayout, "layout">,
): Promise<string> {
  const storage = `${layout}-served`;
  await once(storage, async (partial) => {
    await mkdir(partial);
    await using registry = await DockerRegistry.start(partial, signal);
    await fill(registry, layout, signal);
  });
  return storage;
}

async function fill(
  { host }: DockerRegistry,
  layout: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [name = "", tag = ""] = servedName.split(":");
  const repository = `http://${host}/v2/${name}`;
  const blob = (digest: Digest) => join(layout, "blobs/sha256", digestHex(digest));
  const [{ digest, mediaType }] = index.parse(await readJson(join(layout, "index.json"))).manifests;
  const { config, layers } = manifest.parse(await readJson(blob(digest)));
  for (const each of [config, ...layers]) {
    const begun = await send(`${repository}/blobs/uploads/`, { method: "POST", signal });
    const to = new URL(begun.headers.get("location") ?? "", repository);
    to.searchParams.set("digest", each.digest);
    await send(to, { method: "PUT", body: await openAsBlob(blob(each.digest)), signal });
  }
  const headers = { "content-type": mediaType };
  const body = await readFile(blob(digest));
  await send(`${repository}/manifests/${tag}`, { method: "PUT", headers, body, signal });
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8"));
}

/** @throws Error, if it is refused */
async function send(
  url: string | URL,
  { signal, ...request }: Omit<RequestInit, "signal"> & { readonly signal: AbortSignal | undefined },
): Promise<Response> {
  const answer = await fetch(url, { ...request, ...(signal && { signal }) });
  if (!answer.ok) throw new Error(`${request.method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}
