import type { Command } from "commander";

/** Let `command` take docker's `--format`; see `formatListing`. */
export function addFormatOption(command: Command): void {
  command.option("--format <template>", "'table', 'table TEMPLATE', 'json', or a Go template for each line");
}

/** The format in force: what was asked for; with `--quiet`, IDs, unless a template of its own was given. */
export function formatOf({ format = "table", quiet }: { format?: string; quiet?: boolean }): string {
  return quiet && format === "table" ? "{{.ID}}" : format;
}
