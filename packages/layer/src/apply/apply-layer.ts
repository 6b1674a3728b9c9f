import { createHash } from "node:crypto";
import {
  type Digest,
  errnoCode,
  isStrataError,
  type LayerLayout,
  StrataError,
  toStrataError,
} from "@strata/core";
import { AT_FDCWD, close, O_DIRECTORY, O_RDONLY, openat, readdir } from "@strata/linux";
import { type Compression, decompress, detectCompression } from "../compression.ts";
import { defaultLimits, type Limits, limitExceeded, ratioJudgedFromBytes } from "../limits.ts";
import { nothingUnresolved, settleLayer, type Unresolved } from "../settle.ts";
import { TarReader } from "../tar/tar-reader.ts";
import { Applier } from "./applier.ts";
import { BlobSource } from "./blob-source.ts";
import type { AppliedLayer, ApplyOptions, ExpectedLayer } from "./options.ts";

/** What of {@link ApplyOptions} can be sent to another thread. */
export type ApplyJob = Omit<ApplyOptions, "signal" | "onProgress">;

/** What the thread does meanwhile. */
export interface ApplyHooks {
  /** Called after each chunk of the source and of what comes out of it. What it throws ends the work. */
  readonly checkAbort: () => void;
  /** Called after each chunk of the source. */
  readonly onProgress: (bytesRead: number) => void;
}

/**
 * Apply a layer in this thread, which it keeps busy: read, hash, inflate, hash, write files, in one pass.
 * @throws StrataError, see `LayerWorkers.apply`
 */
export async function applyLayer(job: ApplyJob, hooks: ApplyHooks): Promise<AppliedLayer> {
  try {
    assertFresh(job.layout);
    return await applyFile(job, hooks);
  } catch (error) {
    throw toStrataError(error, `cannot apply the layer in ${job.source.path}`);
  }
}

async function applyFile(job: ApplyJob, hooks: ApplyHooks): Promise<AppliedLayer> {
  const { expected = {}, keepAs } = job;
  const source = new BlobSource(job.source, {
    onChunk: hooks.onProgress,
    ...(keepAs !== undefined && { keepAs }),
  });
  try {
    if (expected.blobSize !== undefined && expected.blobSize !== source.size) {
      throw mismatch("size", `${expected.blobSize} bytes`, `${source.size} bytes`);
    }
    return await applySource(source, job, { ...defaultLimits, ...job.limits }, hooks);
  } finally {
    source.close();
  }
}

async function applySource(
  source: BlobSource,
  job: ApplyJob,
  limits: Limits,
  hooks: ApplyHooks,
): Promise<AppliedLayer> {
  const { layout, expected = {} } = job;
  const applier = new Applier({
    dir: layout.dir,
    format: layout.format,
    inherits: layout.format === "plain" && layout.base !== undefined,
    ignoreOwnership: job.ignoreOwnership ?? false,
    limits,
  });
  try {
    const guard = new OutputGuard(source, limits, hooks);
    const content = await readLayer(source, new TarReader(applier, limits), guard, expected);
    const { entries, contentBytes } = applier;
    return { ...content, blobSize: source.size, entries, contentBytes, unresolved: finish(applier, job) };
  } catch (error) {
    throw explain(error, applier, source, expected);
  } finally {
    applier.close();
  }
}

type Content = Pick<AppliedLayer, "blob" | "diffId" | "compression">;

/** Pass the whole source through hashing, inflating and the tar reader. */
async function readLayer(
  source: BlobSource,
  reader: TarReader,
  guard: OutputGuard,
  expected: ExpectedLayer,
): Promise<Content> {
  const compression = detectCompression(source.peek(6));
  // What is not compressed is its own DiffID: one pass over the bytes serves both digests.
  let diffId: Digest | undefined;
  if (compression === "none") {
    for (const chunk of source.chunks()) {
      guard.count(chunk);
      reader.write(chunk);
    }
  } else {
    diffId = await inflate(source, compression, reader, guard);
  }
  const ended = reader.end();
  source.drain();
  const blob = source.digest();
  verify("digest", expected.blob, blob);
  verify("DiffID", expected.diffId, diffId ?? blob);
  if (!ended && expected.blob === undefined && expected.diffId === undefined) {
    // docker takes such archives. With a digest, it is known to be whole.
    throw new StrataError(
      "InvalidArgument",
      "the archive has no end mark, so it may be truncated; fetch it again, or give its digest",
    );
  }
  return { blob, diffId: diffId ?? blob, compression };
}

async function inflate(
  source: BlobSource,
  compression: Compression,
  reader: TarReader,
  guard: OutputGuard,
): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of decompress(compression, source.ownChunks())) {
    guard.count(chunk);
    hash.update(chunk);
    reader.write(chunk);
  }
  return `sha256:${hash.digest("hex")}`;
}

/** Watches what comes out of a source. */
class OutputGuard {
  readonly #limits: Limits;
  readonly #hooks: ApplyHooks;
  readonly #allowedByRatio: number;
  #bytes = 0;

  constructor({ size }: BlobSource, limits: Limits, hooks: ApplyHooks) {
    this.#limits = limits;
    this.#hooks = hooks;
    this.#allowedByRatio = Math.max(size * limits.maxRatio, ratioJudgedFromBytes);
  }

  count({ length }: Buffer): void {
    this.#bytes += length;
    if (this.#bytes > this.#limits.maxBytes) throw limitExceeded(this.#limits, "maxBytes");
    if (this.#bytes > this.#allowedByRatio) throw limitExceeded(this.#limits, "maxRatio");
    this.#hooks.checkAbort();
  }
}

function finish(applier: Applier, { layout, lowersLater }: ApplyJob): Unresolved {
  const unresolved = applier.finish();
  if (lowersLater === true || layout.format === "plain") return unresolved;
  settleLayer(layout, unresolved);
  return nothingUnresolved;
}

/** The layer must be all that is written: what is there already could not be told from the layer's own entries. */
function assertFresh(layout: LayerLayout): void {
  if (layout.format === "plain" && layout.base !== undefined) return;
  const fd = openat(AT_FDCWD, layout.dir, O_RDONLY | O_DIRECTORY);
  try {
    if (readdir(fd).length === 0) return;
  } finally {
    close(fd);
  }
  throw new StrataError(
    "FailedPrecondition",
    `cannot apply a layer to ${layout.dir}: it holds files already; prepare a new snapshot for it`,
  );
}

/**
 * The error to report. Whatever went wrong, a source that is not what was asked for comes first: what is in it means
 * nothing then.
 */
function explain(error: unknown, applier: Applier, source: BlobSource, { blob }: ExpectedLayer): unknown {
  const fromContent = isStrataError(error, "InvalidArgument") || isStrataError(error, "Corrupt");
  if (fromContent && blob !== undefined) {
    source.drain();
    const actual = source.digest();
    if (actual !== blob) return mismatch("digest", blob, actual, error);
  }
  const what = `cannot apply the layer's entry ${applier.currentPath}`;
  if (error instanceof Error && errnoCode(error) === "EPERM") {
    const hint = "run as root, or leave owners and devices out (ignoreOwnership)";
    return new StrataError("Unsupported", `${what}: ${error.message}; ${hint}`, { cause: error });
  }
  return toStrataError(error, what);
}

function verify(what: string, expected: Digest | undefined, actual: Digest): void {
  if (expected !== undefined && expected !== actual) throw mismatch(what, expected, actual);
}

function mismatch(what: string, expected: string, actual: string, cause?: unknown): StrataError {
  return new StrataError(
    "Corrupt",
    `the layer's ${what} is ${actual}, not ${expected} as it should be; fetch or build it anew`,
    { cause },
  );
}
