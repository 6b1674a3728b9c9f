import { realpath } from "node:fs/promises";
import { type FileSystemType, missingFacilities, Scratch } from "@strata/conformance/suite";
import { adviceFor } from "../advice.ts";
import { describeHost } from "../host/describe-host.ts";
import { loadOfOthers } from "../host/load-watch.ts";
import { dropPageCache } from "../host/page-cache.ts";
import { Resources } from "../resources.ts";
import { type Results, schemaVersion } from "../results/schema.ts";
import type { DriverModule } from "../subjects/drivers.ts";
import { findSubjects } from "../subjects/find-subjects.ts";
import type { Case, Scale, WorkloadName } from "../workload.ts";
import { loadWorkload } from "../workloads/index.ts";
import { Progress, type ProgressReport } from "./progress.ts";
import { runCase, throwIfBusy } from "./run-case.ts";

/** What is measured, where, and how. */
export interface BenchOptions {
  readonly workloads: readonly WorkloadName[];
  readonly scale: Scale;
  readonly drivers: readonly DriverModule[];
  /** Everything is written below it: its file system is what is measured. */
  readonly directory: string;
  /** Also measure on these file systems, made in files in `directory`, if it is not on one itself. Needs root. */
  readonly loop: readonly FileSystemType[];
  /** Also measure tools of the host. */
  readonly peers: boolean;
  /** The most threads to measure with. */
  readonly threads: number;
  /** Drop the page cache before each sample; needs root. Else everything is warm. */
  readonly cold: boolean;
  /** Refuse to measure while the host does something else; else it is noted. */
  readonly strict: boolean;
  /** An archive to use in place of made data. */
  readonly archive?: string;
  /** Made data come from it: the same for the same seed. */
  readonly seed: number;
  /** What is measured, as the results are to name it. */
  readonly strata: Results["strata"];
  /** The `strata` command: the program and its first arguments. */
  readonly command: readonly string[];
  readonly signal: AbortSignal;
  /** At the beginning of each subject's turn. */
  readonly onProgress: (report: ProgressReport) => void;
}

const quickBudgetMilliseconds = 100_000;

/**
 * Measure, and put the results together. Everything that is made on the way is removed.
 * @throws HostBusy, if `strict` and the host does something else
 * @throws Error, if `cold` and the page cache cannot be dropped
 * @throws the signal's reason
 */
export async function runBenchmarks(options: BenchOptions): Promise<Results> {
  try {
    return await measure(options);
  } catch (error) {
    // What fails because of the abort, or after it, is not what ends it.
    options.signal.throwIfAborted();
    throw error;
  }
}

async function measure(options: BenchOptions): Promise<Results> {
  const { signal, scale, archive } = options;
  const startedAt = new Date().toISOString();
  const began = performance.now();
  const host = describeHost();
  const directory = await realpath(options.directory);
  if (options.cold) await dropPageCache();
  if (options.strict) throwIfBusy(await loadOfOthers());
  await using resources = new Resources();
  const datasets = resources.use(new Scratch(directory));
  const found = await findSubjects({ ...options, directory }, resources);
  const { subjects } = found;
  const missing = [...found.missing];
  const threads = threadCounts(options.threads);
  const workloads: Results["workloads"] = [];
  const planned: { name: WorkloadName; measured: Case }[] = [];
  for (const name of options.workloads) {
    const workload = await loadWorkload(name);
    const absent = missingFacilities(workload.needs ?? []);
    if (absent.length > 0) {
      const reason = `not installed: the workload ${name} is left out`;
      missing.push(...absent.map((id) => ({ id, kind: "peer" as const, reason })));
      continue;
    }
    workloads.push({ name, title: workload.title, summary: workload.summary });
    const scope = { scale, subjects, threads, ...(archive !== undefined && { archive }) };
    const possible = workload.cases(scope).filter((each) => each.subjects.length > 0);
    planned.push(...possible.map((measured) => ({ name, measured })));
  }

  const progress = new Progress(
    planned.map(({ measured }) => measured),
    scale === "quick" ? quickBudgetMilliseconds - (performance.now() - began) : Infinity,
  );
  const measurements: Results["measurements"] = [];
  const failures: Results["failures"] = [];
  for (const { name, measured } of planned) {
    signal.throwIfAborted();
    const result = await runCase(name, measured, {
      scale,
      seed: options.seed,
      datasets: datasets.path,
      command: options.command,
      cold: options.cold,
      strict: options.strict,
      ...(archive !== undefined && { archive }),
      signal,
      deadline: progress.deadline(measured),
      onTurn: (turn) => options.onProgress(progress.turn(name, measured, turn)),
    });
    progress.finish(measured);
    measurements.push(...result.measurements);
    failures.push(...result.failures);
  }

  const results: Omit<Results, "advice"> = {
    schemaVersion,
    startedAt,
    durationMilliseconds: performance.now() - began,
    strata: options.strata,
    host,
    options: {
      scale,
      workloads: [...options.workloads],
      threads,
      seed: options.seed,
      cache: options.cold ? "cold" : "warm",
      strict: options.strict,
      ...(archive !== undefined && { archive }),
    },
    workloads,
    subjects: found.about,
    missing,
    measurements,
    failures,
  };
  return { ...results, advice: adviceFor(results) };
}

/** 1, 2, 4, ..., and the most. */
function threadCounts(most: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count < most; count *= 2) counts.push(count);
  return [...counts, most];
}
