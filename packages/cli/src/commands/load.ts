import type { LoadedImage } from "@strata/store";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { ArchiveInput } from "../input.ts";
import { warnOfLostOwners } from "../lost-owners.ts";
import { addLimitOptions, type LimitOptions, limitsOf } from "../options/limits.ts";
import { layerView } from "../progress/layer-view.ts";
import { loading } from "../progress/wordings.ts";
import { withStore } from "../store-access.ts";

interface Options extends LimitOptions {
  readonly input?: string;
  readonly platform?: string;
  readonly quiet?: boolean;
}

export function define(command: StrataCommand, context: Context): Command {
  command
    .usage("[OPTIONS]")
    .option("-i, --input <path>", "read an archive or an OCI layout directory instead of standard input")
    .option("--platform <platform>", "take this image of an index: linux/arm64, linux/arm/v7")
    .option("-q, --quiet", "show no progress");
  addLimitOptions(command);
  return command
    .addHelpText(
      "after",
      "\nReads what docker, podman, buildah, skopeo and umoci write; raw, gzip, bzip2, xz or zstd.",
    )
    .examples(
      "strata load -i debian.tar",
      "docker save debian:12 | strata load",
      "strata load -i ./oci-layout",
    )
    .action(async (options: Options) => await load(context, options));
}

async function load(context: Context, options: Options): Promise<void> {
  if (options.input === undefined && process.stdin.isTTY)
    throw new Error("requested load from stdin, but stdin is empty");
  const images = await receive(context, options);
  if (context.options.json) {
    for (const image of images) await context.stdout.jsonLine({ kind: "loaded", ...image });
    return;
  }
  const { parseName } = await import("@strata/store");
  const familiar = (reference: string) => parseName(reference).familiar();
  await context.stdout.lines(images.flatMap((image) => describe(image, familiar)));
}

async function receive(context: Context, options: Options): Promise<LoadedImage[]> {
  const { platform, quiet } = options;
  using input = new ArchiveInput(options.input);
  // Scripts read standard output.
  using progress = layerView(context, loading, { quiet, outcomes: context.stderr });
  return await withStore(context, async (store) => {
    await warnOfLostOwners(context, store.driver, options.ignoreChownErrors);
    return await store.load(input.source, {
      ...(platform !== undefined && { platform }),
      ...limitsOf(options),
      signal: context.signal,
      onProgress: (event) => progress.show(event),
    });
  });
}

function describe(
  { id, references, replaced }: LoadedImage,
  familiar: (reference: string) => string,
): string[] {
  return [
    ...replaced.map(
      (old) =>
        `The image ${familiar(old.reference)} already exists, renaming the old one with ID ${old.id} to empty string`,
    ),
    ...references.map((reference) => `Loaded image: ${familiar(reference)}`),
    ...(references.length === 0 ? [`Loaded image ID: ${id}`] : []),
  ];
}
