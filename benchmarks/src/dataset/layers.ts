import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { Scratch } from "@strata/conformance/suite";
import { type Digest, isDigest } from "@strata/core";
import { decompressor, defaultLimits, detectCompression, diff, TarReader } from "@strata/layer";
import { z } from "zod";
import { run } from "../peers/command.ts";
import type { TrialContext } from "../workload.ts";
import { type TreeSpec, writeTree } from "./tree.ts";

/** `zstd` takes the host's program of that name. */
export type LayerCompression = "none" | "gzip" | "zstd";

/** The archive of a layer, in a file. */
export interface LayerArchive {
  readonly path: string;
  /** Of the file. */
  readonly bytes: number;
  /** Of the regular files in it: what throughput is told from. */
  readonly contentBytes: number;
  /** Entries in it, directories and links included. */
  readonly files: number;
  /** Of the file. */
  readonly digest: Digest;
  /** Of the uncompressed archive. */
  readonly diffId: Digest;
}

/** Where made data are kept for a run, and what they are made from. */
export interface DatasetContext extends Pick<TrialContext, "datasets" | "seed" | "archive"> {
  readonly signal?: AbortSignal | undefined;
}

const digest = z.custom<Digest>(isDigest);
const facts = z.object({ contentBytes: z.number(), files: z.number(), digest, diffId: digest });

const extensions = { none: "tar", gzip: "tar.gz", zstd: "tar.zst" } as const;

/**
 * The archive of a made tree. Made once a run, whoever asks for it first; then it is there.
 * @throws Error, for zstd where the host has no such program
 * @throws AbortError, on the signal
 */
export async function layerArchive(
  { datasets, seed, signal }: DatasetContext,
  spec: TreeSpec,
  compression: LayerCompression,
): Promise<LayerArchive> {
  const { shape, files, bytes, compressible } = spec;
  const name = `${shape}-${files}-files-${bytes}-bytes-${compressible ? "text" : "noise"}-seed-${seed}`;
  const raw = join(datasets, `${name}.${extensions.none}`);
  await once(raw, async (partial, scratch) => {
    const dir = scratch.join("tree");
    await writeTree(dir, spec, seed);
    await pipeline(diff({ format: "plain", dir }), createWriteStream(partial), { signal });
  });
  if (compression === "none") return await describeLayer(raw, signal);
  const path = join(datasets, `${name}.${extensions[compression]}`);
  await once(path, (partial) => compressFile(raw, partial, compression, signal));
  return await describeLayer(path, signal);
}

/** Write a compressed copy of a plain file, as the tools that make images do: gzip level 6, zstd level 3. */
export async function compressFile(
  from: string,
  to: string,
  compression: Exclude<LayerCompression, "none">,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (compression === "gzip")
    await pipeline(createReadStream(from), createGzip({ level: 6 }), createWriteStream(to), { signal });
  else await run("zstd", ["-q", "-3", from, "-o", to], { signal });
}

/** Read an archive to its end, once a run, to know what is in it. */
export async function describeLayer(path: string, signal?: AbortSignal): Promise<LayerArchive> {
  const notes = `${path}.json`;
  await once(notes, async (partial) => writeFile(partial, JSON.stringify(await count(path, signal))));
  return { path, bytes: (await stat(path)).size, ...facts.parse(JSON.parse(await readFile(notes, "utf8"))) };
}

/** Let `make` write a file at another path, and have it whole or not at all at `path`, unless it is there. */
export async function once(
  path: string,
  make: (partial: string, scratch: Scratch) => Promise<void>,
): Promise<void> {
  if (await exists(path)) return;
  const directory = join(path, "..");
  await mkdir(directory, { recursive: true });
  await using scratch = new Scratch(directory);
  const partial = scratch.join("made");
  await make(partial, scratch);
  // Another thread may have made the same meanwhile: either will do.
  await rename(partial, path);
}

export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function count(path: string, signal: AbortSignal | undefined): Promise<z.infer<typeof facts>> {
  let contentBytes = 0;
  let files = 0;
  const reader = new TarReader(
    {
      entry: (entry) => {
        files += 1;
        contentBytes += entry.size;
      },
      content: () => {},
      entryEnd: () => {},
    },
    defaultLimits,
  );
  const blob = createHash("sha256");
  const archive = createHash("sha256");
  await pipeline(
    createReadStream(path, { highWaterMark: 2 ** 18 }),
    async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        blob.update(chunk);
        yield chunk;
      }
    },
    decompressor(await compressionOf(path)),
    async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source) {
        archive.update(chunk);
        reader.write(chunk);
      }
    },
    { signal },
  );
  return {
    contentBytes,
    files,
    digest: `sha256:${blob.digest("hex")}`,
    diffId: `sha256:${archive.digest("hex")}`,
  };
}

/** How the bytes of a file are compressed. */
export async function compressionOf(path: string): Promise<ReturnType<typeof detectCompression>> {
  for await (const head of createReadStream(path, { end: 15 })) return detectCompression(head);
  return "none";
}
