import { createHash } from "node:crypto";
import { type HeaderArgument, tarOf } from "./tar.ts";

/** A layer by its files: a path and its content; a path that ends with `/` is a directory. */
export type Files = Readonly<Record<string, string>>;

export interface TestImage {
  readonly config: Buffer;
  /** `sha256:...` of the config. */
  readonly id: string;
  /** Uncompressed tars, bottom first. */
  readonly layers: readonly Buffer[];
  readonly diffIds: readonly string[];
}

export interface TestImageOptions {
  readonly config?: object;
  readonly platform?: { readonly os?: string; readonly architecture?: string; readonly variant?: string };
  /** In place of the layers' own. */
  readonly diffIds?: readonly string[];
  /** RFC 3339. */
  readonly created?: string;
  /** @defaultValue a step for each layer */
  readonly history?: readonly object[] | null;
}

export async function layerOf(files: Files, headers: readonly HeaderArgument[] = []): Promise<Buffer> {
  const members = Object.entries(files).map(([name, content]) => ({ name, content }));
  return await tarOf([...members, ...headers.map((header) => ({ name: header.name, header }))]);
}

export async function imageOf(
  layers: readonly (Files | Buffer)[],
  { config = {}, platform, diffIds, created = "2024-02-03T04:05:06Z", history }: TestImageOptions = {},
): Promise<TestImage> {
  const tars = await Promise.all(
    layers.map(async (layer) => (Buffer.isBuffer(layer) ? layer : await layerOf(layer))),
  );
  const digests = diffIds ?? tars.map(sha256);
  const document = Buffer.from(
    JSON.stringify({
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      ...platform,
      created,
      config,
      rootfs: { type: "layers", diff_ids: digests },
      history:
        history === undefined ? tars.map((_, index) => ({ created, created_by: `step ${index}` })) : history,
    }),
  );
  return { config: document, id: sha256(document), layers: tars, diffIds: digests };
}

export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export function hex(digest: string): string {
  return digest.slice("sha256:".length);
}
