import type { LoadedImage } from "@strata/store";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { addLimitOptions, type LimitOptions, limitsOf } from "../options/limits.ts";
import { layerProgress } from "../progress/layer-progress.ts";
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
  const { input, platform, quiet } = options;
  if (input === undefined && process.stdin.isTTY)
    throw new Error("requested load from stdin, but stdin is empty");
  const { parseName } = await import("@strata/store");
  const familiar = (reference: string) => parseName(reference).familiar();
  const progress = layerProgress(context, quiet);
  await withStore(context, async (store) => {
    try {
      const images = await store.load(input ?? process.stdin, {
        ...(platform !== undefined && { platform }),
        ...limitsOf(options),
        signal: context.signal,
        onProgress: (event) => progress.show(event),
      });
      progress.finish();
      for (const image of images) {
        if (context.options.json)
          await context.stdout.write(`${JSON.stringify({ kind: "loaded", ...image })}\n`);
        else await context.stdout.lines(describe(image, familiar));
      }
    } finally {
      progress.finish();
    }
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
