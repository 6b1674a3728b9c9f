import { realpath } from "node:fs/promises";
import type {
  DriverUnderTest,
  Group,
  Report,
  ReportedDriver,
  Result,
  RunOptions,
  Supports,
} from "@strata/conformance/suite";
import type { Capabilities } from "@strata/core";
import type { Context } from "../context.ts";
import type { LoadedDriver } from "../drivers.ts";
import { StatusLine } from "../progress/status-line.ts";
import { describeHost } from "./host.ts";

export interface HoldOptions extends RunOptions {
  /** Where the driver's roots are made. */
  readonly directory: string;
  /** How many behaviours there are to try. */
  readonly count: number;
}

/** Hold a driver to the suite, and print what comes of it as it comes, unless JSON is wanted. */
export async function holdDriver(
  loaded: LoadedDriver,
  context: Context,
  { count, ...options }: HoldOptions,
): Promise<Report> {
  const suite = await import("@strata/conformance/suite");
  const print = async (lines: readonly string[]) => {
    if (!context.options.json) await context.stdout.lines(lines);
  };
  const directory = await realpath(options.directory);
  const host = await describeHost(directory);
  const { under, driver } = await introduce(loaded, directory);
  await print([...suite.aboutLines(driver, host), ""]);

  const started = Date.now();
  const results: Result[] = [];
  const status = new StatusLine(context.stderr);
  let group: Group | undefined;
  const finishGroup = async () => {
    status.clear();
    if (group !== undefined) await print(suite.groupLines(suite.reportGroup(group, results)));
  };
  try {
    for await (const result of suite.runConformance(under, options)) {
      if (result.group !== group) await finishGroup();
      group = result.group;
      results.push(result);
      status.set(`${results.length}/${count} ${group.title}: ${result.behaviour.id}`);
    }
    await finishGroup();
  } finally {
    status.clear();
  }

  const { filter } = options;
  const startedAt = new Date(started).toISOString();
  const run = { startedAt, durationMs: Date.now() - started, ...(filter !== undefined && { filter }) };
  const report = suite.makeReport({ driver, host, ...run }, results);
  await print(["", suite.summaryLine(report)]);
  return report;
}

/** Open the driver once, to know what it says of itself. */
async function introduce(
  { factory, module }: LoadedDriver,
  directory: string,
): Promise<{ under: DriverUnderTest; driver: ReportedDriver }> {
  const { Scratch } = await import("@strata/conformance/suite");
  await using scratch = new Scratch(directory);
  await using driver = await factory({ root: scratch.join("root"), durability: "none" });
  const { name, capabilities } = driver;
  return {
    under: { name, create: factory, directory, module, supports: supportsOf(capabilities) },
    driver: { name, module: module.url, factory: module.factory, capabilities },
  };
}

function supportsOf(capabilities: Capabilities): Supports {
  return {
    sharesParent: capabilities.sharesParent.supported,
    readonlyViews: capabilities.readonlyViews.supported,
    rebase: capabilities.rebase.supported,
    ownership: capabilities.ownership.supported,
    xattrs: capabilities.xattrs.supported,
    hardlinksKeptOnWrite: capabilities.hardlinksKeptOnWrite.supported,
    quotaBytes: capabilities.quotaBytes.supported,
    quotaInodes: capabilities.quotaInodes.supported,
    maxDepth: capabilities.maxDepth,
  };
}
