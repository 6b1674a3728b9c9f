import { release } from "node:os";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { Template } from "../template/template.ts";
import { version } from "../version.ts";

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS]")
    .option("-f, --format <template>", "'json', or a Go template")
    .examples("strata version", "strata version -f '{{.Version}}'")
    .action(async ({ format }: { format?: string }) => {
      const facts = {
        Version: version,
        NodeVersion: process.versions.node,
        Os: process.platform,
        Arch: process.arch,
        KernelVersion: release(),
      };
      if (context.options.json || format === "json") return await context.stdout.json(facts);
      if (format !== undefined) return await context.stdout.line(new Template(format).execute(facts));
      await context.stdout.lines([
        "Strata:",
        ` Version:  ${facts.Version}`,
        ` Node.js:  ${facts.NodeVersion}`,
        ` OS/Arch:  ${facts.Os}/${facts.Arch}`,
        ` Kernel:   ${facts.KernelVersion}`,
      ]);
    });
}
