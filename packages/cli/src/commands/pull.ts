import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import { type Context, rootOf } from "../context.ts";
import { layerProgress } from "../progress/layer-progress.ts";
import { withStore } from "../store-access.ts";

interface Options {
  readonly platform?: string;
  readonly quiet?: boolean;
}

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS] NAME[:TAG|@DIGEST]")
    .argument("<name>", "[HOST/][USER/]NAME, with a tag or a digest")
    .option("--platform <platform>", "take this image of an index: linux/arm64, linux/arm/v7")
    .option("-q, --quiet", "print the reference only")
    .examples("strata pull debian:12")
    .action(async (name: string, options: Options) => await pullImage(context, name, options));
}

async function pullImage(context: Context, name: string, { platform, quiet }: Options): Promise<void> {
  const [{ findCurrent, pull, Registries }, { parseReference }] = await Promise.all([
    import("@strata/registry"),
    import("@strata/store"),
  ]);
  const reference = parseReference(name);
  await using registries = await Registries.open({});
  const options = { signal: context.signal, ...(platform !== undefined && { platform }) };
  const image =
    (await findCurrent(rootOf(context.options), registries, reference, options)) ??
    (await withStore(context, async (store) => {
      using progress = layerProgress(context, quiet);
      return await pull(store, registries, reference, {
        ...options,
        onProgress: (event) => progress.show(event),
      });
    }));
  await context.stdout.line(image.reference);
}
