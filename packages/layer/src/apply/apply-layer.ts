import { type Digest, errnoCode, type LayerLayout, StrataError, toStrataError } from "@strata/core";
import { AT_FDCWD, close, O_DIRECTORY, O_RDONLY, openat, readdir } from "@strata/linux";
import { defaultLimits, type Limits } from "../limits.ts";
import { nothingUnresolved, settleLayer, type Unresolved } from "../settle.ts";
import { TarReader } from "../tar/tar-reader.ts";
import { Applier } from "./applier.ts";
import type { Feed } from "./feed-layer.ts";
import type { ApplyHooks, ApplyJob } from "./job.ts";
import { isContentError, type LayerContent } from "./layer-content.ts";
import type { AppliedLayer, ExpectedLayer } from "./options.ts";

/**
 * Apply a layer in this thread, which it keeps busy: read, hash, inflate, hash, write files, in one pass.
 * @param feed - where another thread does all that comes before the writing
 * @throws StrataError, see `LayerWorkers.apply`
 */
export async function applyLayer(job: ApplyJob, hooks: ApplyHooks, feed?: Feed): Promise<AppliedLayer> {
  try {
    assertFresh(job.layout);
    return await applyBlob(job, hooks, feed);
  } catch (error) {
    throw toStrataError(error, `cannot apply the layer in ${job.source.path}`);
  }
}

async function applyBlob(job: ApplyJob, hooks: ApplyHooks, feed: Feed | undefined): Promise<AppliedLayer> {
  const { expected = {} } = job;
  const limits = { ...defaultLimits, ...job.limits };
  const content = await openContent(job, limits, hooks, feed);
  try {
    if (expected.blobSize !== undefined && expected.blobSize !== content.size) {
      throw mismatch("size", `${expected.blobSize} bytes`, `${content.size} bytes`);
    }
    return await applyContent(content, job, limits);
  } finally {
    content.close();
  }
}

/** Each kind is loaded when it is needed: a thread that is fed starts without the code for reading blobs. */
async function openContent(
  job: ApplyJob,
  limits: Limits,
  hooks: ApplyHooks,
  feed: Feed | undefined,
): Promise<LayerContent> {
  if (feed !== undefined) {
    const { FedContent } = await import("./fed-content.ts");
    return new FedContent(feed, hooks.checkAbort);
  }
  const { BlobContent } = await import("./blob-content.ts");
  return new BlobContent(job, limits, hooks);
}

async function applyContent(content: LayerContent, job: ApplyJob, limits: Limits): Promise<AppliedLayer> {
  const { layout, expected = {} } = job;
  const applier = new Applier({
    dir: layout.dir,
    format: layout.format,
    inherits: layout.format === "plain" && layout.base !== undefined,
    ignoreOwnership: job.ignoreOwnership ?? false,
    limits,
  });
  try {
    const digests = await readLayer(content, new TarReader(applier, limits), expected);
    const { compression, size: blobSize } = content;
    const { entries, contentBytes } = applier;
    return { ...digests, compression, blobSize, entries, contentBytes, unresolved: finish(applier, job) };
  } catch (error) {
    throw explain(error, applier, content, expected);
  } finally {
    applier.close();
  }
}

/** Pass the whole archive through the tar reader, and verify what it was. */
async function readLayer(
  content: LayerContent,
  reader: TarReader,
  expected: ExpectedLayer,
): Promise<Pick<AppliedLayer, "blob" | "diffId">> {
  for await (const chunk of content.chunks()) reader.write(chunk);
  const ended = reader.end();
  const blob = content.blob();
  const diffId = content.diffId();
  verify("digest", expected.blob, blob);
  verify("DiffID", expected.diffId, diffId);
  if (!ended && expected.blob === undefined && expected.diffId === undefined) {
    // docker takes such archives. With a digest, it is known to be whole.
    throw new StrataError(
      "InvalidArgument",
      "the archive has no end mark, so it may be truncated; fetch it again, or give its digest",
    );
  }
  return { blob, diffId };
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
function explain(error: unknown, applier: Applier, content: LayerContent, { blob }: ExpectedLayer): unknown {
  if (isContentError(error) && blob !== undefined) {
    const actual = content.blob();
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
