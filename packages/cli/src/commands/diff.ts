import type { Change } from "@strata/layer";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { escapeControls } from "../format/text.ts";
import { withStore } from "../store-access.ts";

const letters = { added: "A", modified: "C", deleted: "D" } as const;

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("CONTAINER")
    .argument("<container>", "name or ID")
    .addHelpText("after", "\nA: added, C: changed, D: deleted; sorted by path.")
    .examples("strata diff web", "strata --json diff web")
    .action(async (container: string) => {
      await withStore(context, async (store) => {
        const { stdout, signal, options } = context;
        const listed: object[] = [];
        for await (const change of store.changes(container, { signal })) {
          // The root itself has no name to list it by; docker leaves it out, too.
          if (change.path.length === 0) continue;
          if (options.json) listed.push(asJson(change));
          else await stdout.write(asLine(change, stdout.isTerminal));
        }
        if (options.json) await stdout.json(listed);
      });
    });
}

/** The path's own bytes, except on a terminal. */
function asLine({ kind, path }: Change, terminal: boolean): Buffer {
  const shown = terminal ? Buffer.from(escapeControls(path.toString())) : path;
  return Buffer.concat([Buffer.from(`${letters[kind]} /`), shown, Buffer.from("\n")]);
}

/** A path that is no UTF-8 comes a second time, in base64, without loss. */
function asJson({ kind, path }: Change): object {
  const text = path.toString();
  const lossless = Buffer.from(text).equals(path);
  return { kind, path: `/${text}`, ...(!lossless && { pathBase64: path.toString("base64") }) };
}
