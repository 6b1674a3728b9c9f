import type { CommitResult } from "@strata/store";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { formatSize } from "../format/size.ts";
import { collect } from "../options/values.ts";
import { withStore } from "../store-access.ts";

interface Options {
  readonly author?: string;
  readonly message?: string;
  readonly change?: readonly string[];
  readonly quiet?: boolean;
}

/** Junk that is named; the rest is counted. */
const namedJunk = 5;

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS] CONTAINER [REPOSITORY[:TAG]]")
    .argument("<container>", "name or ID")
    .argument("[name]", "name of the new image")
    .option("-a, --author <name>", "who made it")
    .option("-m, --message <text>", "why, for 'strata history'")
    .option(
      "-c, --change <line>",
      "line of a Dockerfile to apply: CMD, ENV, EXPOSE, LABEL, USER, WORKDIR, ...",
      collect,
    )
    .option("-p, --pause", "accepted as docker's; no process of the container runs", true)
    .option("--no-pause", "accepted as docker's")
    .option("-q, --quiet", "no warning about what the layer holds")
    .examples(
      "strata commit web web:patched",
      `strata commit -a 'Ada <ada@example.com>' -m 'add python' -c 'CMD ["python3"]' web tools:1`,
    )
    .action(async (container: string, name: string | undefined, options: Options) => {
      const { author, message, change, quiet } = options;
      const result = await withStore(
        context,
        async (store) =>
          await store.commit(container, {
            ...(name !== undefined && { reference: name }),
            ...(author !== undefined && { author }),
            ...(message !== undefined && { message }),
            ...(change !== undefined && { changes: change }),
            signal: context.signal,
          }),
      );
      if (context.options.json) return await context.stdout.json(result);
      await context.stdout.line(result.id);
      if (!quiet) await context.stderr.lines(warnings(result));
    });
}

/** What a commit hides: processes are not in it, and whatever lies about is. */
function warnings({ size, junk }: CommitResult): string[] {
  const lines = [`WARNING: the new layer holds ${formatSize(size)} of files; running processes are not kept`];
  if (junk.length === 0) return lines;
  const total = junk.reduce((sum, { bytes }) => sum + bytes, 0);
  const named = junk.slice(0, namedJunk).map(({ path, bytes }) => `${path} (${formatSize(bytes)})`);
  const rest = junk.length - named.length;
  lines.push(
    `WARNING: ${formatSize(total)} of it are caches, logs and temporary files: ` +
      `${named.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}; delete them and commit again for a smaller image`,
  );
  return lines;
}
