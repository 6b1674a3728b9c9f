import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchOptions, Results, WorkloadName } from "@strata/benchmarks";
import { type Command, InvalidArgumentError, Option } from "commander";
import { checkedOutCommit } from "../bench/commit.ts";
import { ProgressView } from "../bench/progress-view.ts";
import { type StrataCommand, UsageError } from "../command.ts";
import type { Context } from "../context.ts";
import { defaultDrivers, isInstalled, loadDriver } from "../drivers.ts";
import { Failed } from "../failure.ts";
import { countValue, listValue } from "../options/values.ts";
import { checkOutputPath, writeOutput } from "../output-file.ts";
import { version } from "../version.ts";

interface Options {
  readonly directory: string;
  readonly loop?: BenchOptions["loop"];
  readonly peers?: boolean;
  readonly threads?: number;
  readonly cold?: boolean;
  readonly strict?: boolean;
  readonly archive?: string;
  readonly seed: number;
  readonly quick?: boolean;
  readonly full?: boolean;
  /** A file, or to standard output. */
  readonly json?: string | boolean;
  readonly html?: string;
}

const launcher = fileURLToPath(new URL("../../bin/strata.js", import.meta.url));

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS] [WORKLOAD...]")
    .argument(
      "[workload...]",
      "apply, copy-up, hashing, lifecycle, changes, read, store, registry (default: all)",
    )
    .option(
      "--directory <dir>",
      "what is measured is the file system that this is on; not /tmp, which is often memory",
      "/var/tmp",
    )
    .option(
      "--loop <types>",
      "also measure on btrfs, xfs, ext4 that are made in files there, for lack of them; as root",
      loopValue,
    )
    .option("--peers", "also measure podman, skopeo, umoci, docker, containerd, tar, as far as they are here")
    .option(
      "--threads <count>",
      "measure with 1, 2, 4 threads, up to this (default: one for each processor)",
      threadsValue,
    )
    .option("--cold", "drop the page cache before each sample, as root; else everything is warm")
    .option("--strict", "refuse to measure while the host does something else; else that is noted")
    .option("--archive <file>", "use the image of this archive instead of made data")
    .option("--seed <number>", "make the data from another seed", countValue, 1)
    .addOption(new Option("--quick", "below two minutes").conflicts("full"))
    .option("--full", "all sizes, up to 1 GB in 80,000 files and 10,000 snapshots; takes an hour or more")
    .option("--html <file>", "write a page with plots, which needs nothing else")
    .addHelpText(
      "after",
      "\nMeasures overlay2, btrfs and vfs in turns, round by round, or what --driver names, separated by commas;\n" +
        "STRATA_DRIVER counts for nothing here. Prints a table, and which driver is best for this host.\n" +
        "Nothing that it makes is left behind. Exit code 1, if a measurement fails.",
    )
    .examples(
      "strata bench --quick",
      "strata bench --peers --json out.json --html report.html",
      "strata bench apply lifecycle --driver overlay2,btrfs --directory /srv --loop xfs,btrfs",
      "strata bench compare before.json after.json",
    )
    .action(async (words: string[], options: Options) => await bench(context, command, words, options));
}

async function bench(
  context: Context,
  { path }: StrataCommand,
  words: readonly string[],
  options: Options,
): Promise<void> {
  const { json, html } = options;
  const benchmarks = await import("@strata/benchmarks");
  const known: readonly string[] = benchmarks.workloadNames;
  const unknown = words.find((word) => !known.includes(word));
  if (unknown !== undefined) {
    throw new UsageError(`there is no workload ${unknown}, only ${known.join(", ")}`, path);
  }
  if (typeof json === "string" && known.includes(json)) {
    throw new UsageError(`--json ${json}: would write to a file of that name; is ./${json} meant?`, path);
  }
  const outputs = [json, html].filter((output) => typeof output === "string");
  for (const output of outputs) await checkOutputPath(output);

  const results = await measure(context, options, {
    workloads: benchmarks.workloadNames.filter((name) => words.length === 0 || words.includes(name)),
  });
  if (typeof json === "string") await writeOutput(json, `${JSON.stringify(results)}\n`);
  if (html !== undefined) await writeOutput(html, benchmarks.benchPage(results));
  if (context.options.json) await context.stdout.json(results);
  else await context.stdout.lines(benchmarks.tableLines(results));
  for (const output of outputs) await context.stderr.line(`Wrote ${output}`);
  await reportFailures(context, results);
}

async function measure(
  context: Context,
  options: Options,
  { workloads }: { readonly workloads: readonly WorkloadName[] },
): Promise<Results> {
  const { runBenchmarks } = await import("@strata/benchmarks");
  const asked =
    context.options.driver === undefined
      ? defaultDrivers.filter((name) => isInstalled(`@strata/driver-${name}`))
      : listValue(context.options.driver);
  const drivers = await Promise.all(asked.map(loadDriver));
  const commit = await checkedOutCommit();
  using progress = new ProgressView(context.stderr);
  return await runBenchmarks({
    workloads,
    scale: options.quick ? "quick" : options.full ? "full" : "standard",
    drivers: drivers.map(({ name, module }) => ({ name, module })),
    directory: options.directory,
    loop: options.loop ?? [],
    peers: options.peers ?? false,
    threads: options.threads ?? availableParallelism(),
    cold: options.cold ?? false,
    strict: options.strict ?? false,
    ...(options.archive !== undefined && { archive: resolve(options.archive) }),
    seed: options.seed,
    strata: { version, ...(commit !== undefined && { commit }) },
    command: [process.execPath, launcher],
    signal: context.signal,
    onProgress: (report) => progress.show(report),
  });
}

/** @throws Failed, if anything could not be measured */
async function reportFailures(
  { stderr }: Context,
  { failures, measurements, missing }: Results,
): Promise<void> {
  for (const { workload, title, subject, message } of failures)
    await stderr.line(`Error: ${workload}, ${title}: ${subject}: ${message}`);
  if (measurements.length === 0) {
    const reasons = missing.map(({ id, reason }) => `${id}: ${reason}`);
    await stderr.line(`Error: nothing was measured${reasons.map((reason) => `; ${reason}`).join("")}`);
  }
  if (failures.length > 0 || measurements.length === 0) throw new Failed();
}

const loopTypes: readonly BenchOptions["loop"][number][] = ["btrfs", "xfs", "ext4"];

function loopValue(text: string): BenchOptions["loop"] {
  const words = listValue(text);
  const types = loopTypes.filter((type) => words.includes(type));
  if (types.length < words.length) throw new InvalidArgumentError(`Not of ${loopTypes.join(", ")}.`);
  return types;
}

function threadsValue(text: string): number {
  const count = countValue(text);
  if (count < 1) throw new InvalidArgumentError("Not a whole number above 0.");
  return count;
}
