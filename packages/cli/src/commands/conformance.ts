import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import type { Command } from "commander";
import { type StrataCommand, UsageError } from "../command.ts";
import type { Context } from "../context.ts";
import { loadDriver } from "../drivers.ts";
import { Failed } from "../failure.ts";

interface Options {
  readonly filter?: string;
  readonly directory?: string;
  readonly html?: string;
}

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("--driver DRIVER [OPTIONS]")
    .option("--filter <text>", "only behaviours whose group, id or title contains this")
    .option(
      "--directory <dir>",
      "where the driver's roots are made, which decides the file system (env TMPDIR)",
    )
    .option("--html <file>", "write a report to a file, as a page that needs nothing else")
    .addHelpText(
      "after",
      "\nDRIVER is an installed package or the path of a module. What it can do is taken from its own capabilities.\n" +
        "What these or the host exclude is skipped, with the reason. Exit code 1, if a behaviour fails.",
    )
    .examples(
      "strata conformance --driver overlay2",
      "strata conformance --driver ./my-driver/dist/index.js --filter hardlink",
      "strata conformance --driver strata-driver-zfs --directory /tank --html report.html",
    )
    .action(async (options: Options) => await conformance(context, command.path, options));
}

async function conformance(context: Context, path: string, options: Options): Promise<void> {
  const asked = context.options.driver ?? process.env["STRATA_DRIVER"];
  if (!asked) throw new UsageError("say which driver, with --driver: a package or a path", path);
  const { filter = "", directory = tmpdir(), html } = options;
  const { groups, htmlReport, selects } = await import("@strata/conformance/suite");
  const behaviours = groups.flatMap((group) =>
    group.behaviours.filter((behaviour) => selects(filter, group, behaviour)),
  );
  const count = behaviours.length;
  if (count === 0) throw new UsageError(`no behaviour has "${filter}" in its group, id or title`, path);

  const { holdDriver } = await import("../conformance/hold-driver.ts");
  const { signal } = context;
  const only = options.filter !== undefined && { filter };
  const report = await holdDriver(await loadDriver(asked), context, { directory, count, signal, ...only });
  if (html !== undefined) await writeFile(html, htmlReport(report));
  if (context.options.json) await context.stdout.json(report);
  if (report.totals.failed > 0) throw new Failed();
}
