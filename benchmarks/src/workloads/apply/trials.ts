import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { removeTree } from "@strata/core";
import { LayerWorkers } from "@strata/layer";
import { Calibration } from "../../calibration.ts";
import type { ImageLayout } from "../../dataset/image.ts";
import type { LayerArchive } from "../../dataset/layers.ts";
import { run } from "../../peers/command.ts";
import { Resources } from "../../resources.ts";
import { openDriver } from "../../subjects/drivers.ts";
import type { DriverSubject, Operation, Trial, TrialContext } from "../../workload.ts";
import { applyImage, layerNames } from "./apply-image.ts";
import type { ApplyParameters } from "./cases.ts";

/** What all subjects of a case are given. */
export interface ApplyTask {
  readonly context: TrialContext;
  readonly parameters: ApplyParameters;
  readonly image: ImageLayout;
}

const operationName = "apply";

export async function openDriverTrial(
  subject: DriverSubject,
  { context, parameters, image }: ApplyTask,
): Promise<Trial> {
  const held = new Resources();
  const { durable } = parameters;
  const durability = durable ? "commit" : "none";
  const driver = held.use(
    await openDriver(subject.module, { root: join(context.directory, "root"), durability }),
  );
  const workers = held.use(new LayerWorkers({ threads: parameters.threads }));
  const { layers } = image;
  const operation: Operation = {
    name: operationName,
    work: workOf(image),
    run: () => applyImage({ driver, durable, workers, layers, signal: context.signal }),
    after: async () => {
      for (const name of layerNames(layers).reverse()) await driver.remove(name);
      await driver.cleanup();
    },
  };
  return { operations: [operation], [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() };
}

/** How a tool of the host puts an image's layers into an empty directory. Returns what `Operation.run` may. */
type Unpack = (directory: string) => Promise<unknown>;

export async function openPeerTrial(task: ApplyTask): Promise<Trial> {
  const { context, image } = task;
  const unpack = await unpackOf(task);
  const target = join(context.directory, "target");
  const operation: Operation = {
    name: operationName,
    work: workOf(image),
    before: () => mkdir(target),
    run: () => unpack(target),
    after: () => removeTree(target),
  };
  return { operations: [operation], [Symbol.asyncDispose]: async () => {} };
}

async function unpackOf({ context, parameters, image }: ApplyTask): Promise<Unpack> {
  const { subject, signal } = context;
  const { threads } = parameters;
  switch (subject.id) {
    case "calibration": {
      const calibration = await Calibration.open(context.datasets, image.layers, signal);
      return (directory) => calibration.makeFiles(directory, { processes: threads, signal });
    }
    case "umoci":
      return (directory) =>
        run(
          "umoci",
          ["raw", "unpack", "--image", `${image.layout}:${image.reference}`, join(directory, "root")],
          { signal },
        );
    case "tar":
      return (directory) => extractAll(directory, image.layers, parameters, signal);
    default:
      throw new TypeError(`${subject.id} does not unpack layers`);
  }
}

const tarFlags = { none: [], gzip: ["--gzip"], zstd: ["--zstd"] } as const;

/** Each layer into a directory of its own, as many at the same time as the case says. */
async function extractAll(
  directory: string,
  layers: readonly LayerArchive[],
  { compression, threads }: ApplyParameters,
  signal: AbortSignal,
): Promise<{ peakBytes: number }> {
  const waiting = layers.toSorted((a, b) => b.bytes - a.bytes).entries();
  let peakBytes = 0;
  const extract = async () => {
    // One iterator for all: each takes the next that is left.
    for (const [index, { path }] of waiting) {
      const target = join(directory, `${index}`);
      await mkdir(target);
      const flags = ["--numeric-owner", "--preserve-permissions", ...tarFlags[compression]];
      const ran = await run("tar", ["-x", ...flags, "-f", path, "-C", target], { signal });
      peakBytes = Math.max(peakBytes, ran.peakBytes);
    }
  };
  await Promise.all(Array.from({ length: threads }, extract));
  return { peakBytes };
}

function workOf({ bytes, files }: ImageLayout): { bytes: number; files: number } {
  return { bytes, files };
}
