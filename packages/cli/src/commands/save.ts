import type { Command } from "commander";
import { refuseTerminal, writeArchive } from "../archive-output.ts";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { withStore } from "../store-access.ts";

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS] IMAGE [IMAGE...]")
    .argument("<images...>", "names, IDs or digests")
    .option("-o, --output <file>", "write to a file instead of standard output")
    .addHelpText(
      "after",
      "\nThe archive is the same, byte for byte, each time; docker, podman and skopeo read it.",
    )
    .examples("strata save -o debian.tar debian:12", "strata save debian:12 tools:1 | zstd > images.tar.zst")
    .action(async (images: string[], { output }: { output?: string }) => {
      refuseTerminal(context, output);
      await withStore(context, async (store) => {
        await writeArchive(context, store.save(images, { signal: context.signal }), output);
      });
    });
}
