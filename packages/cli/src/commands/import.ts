import type { ImportOptions } from "@strata/store";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { ArchiveInput } from "../input.ts";
import { warnOfLostOwners } from "../lost-owners.ts";
import { addLimitOptions, type LimitOptions, limitsOf } from "../options/limits.ts";
import { collect } from "../options/values.ts";
import { layerView } from "../progress/layer-view.ts";
import { loading } from "../progress/wordings.ts";
import { withStore } from "../store-access.ts";

interface Options extends LimitOptions {
  readonly change?: readonly string[];
  readonly message?: string;
  readonly platform?: string;
}

export function define(command: StrataCommand, context: Context): Command {
  command
    .usage("[OPTIONS] FILE|DIRECTORY|- [REPOSITORY[:TAG]]")
    .argument("<source>", "tar, compressed or not, or directory of a root file system; - is standard input")
    .argument("[name]", "name of the image")
    .option(
      "-c, --change <line>",
      "line of a Dockerfile to apply: CMD, ENV, EXPOSE, LABEL, USER, WORKDIR, ...",
      collect,
    )
    .option("-m, --message <text>", "comment of the image")
    .option("--platform <platform>", "what the image is for: linux/arm64, linux/arm/v7");
  addLimitOptions(command);
  return command
    .examples(
      "strata import rootfs.tar.xz debian:mine",
      "strata import ./rootfs debian:mine",
      `debootstrap --variant=minbase bookworm /tmp/root && strata import -c 'CMD ["bash"]' /tmp/root debian:12`,
    )
    .action(async (source: string, name: string | undefined, options: Options) => {
      await importImage(context, source, name, options);
    });
}

async function importImage(
  context: Context,
  source: string,
  name: string | undefined,
  options: Options,
): Promise<void> {
  const { change, message, platform } = options;
  if (/^https?:\/\//.test(source))
    throw new Error(`cannot import ${source}: download it first, and give the file or - for standard input`);
  if (source === "-" && process.stdin.isTTY)
    throw new Error("requested import from stdin, but stdin is a terminal");
  const { id } = await receive(context, source, {
    ...(name !== undefined && { reference: name }),
    ...(change !== undefined && { changes: change }),
    ...(message !== undefined && { message }),
    ...(platform !== undefined && { platform }),
    ...limitsOf(options),
  });
  if (context.options.json) await context.stdout.jsonLine({ kind: "imported", id });
  else await context.stdout.line(id);
}

async function receive(context: Context, source: string, options: ImportOptions): Promise<{ id: string }> {
  using input = new ArchiveInput(source === "-" ? undefined : source);
  // The ID is what scripts want: progress is for terminals, and for --json.
  const quiet = !context.options.json && !context.stdout.isTerminal;
  using progress = layerView(context, loading, { quiet });
  return await withStore(context, async (store) => {
    await warnOfLostOwners(context, store.driver, options.ignoreOwnership);
    return await store.import(input.source, {
      ...options,
      signal: context.signal,
      onProgress: (event) => progress.show(event),
    });
  });
}
