import { realpath } from "node:fs/promises";
import { type FileSystemType, LoopFileSystem, Scratch } from "@strata/conformance/suite";
import { adviceFor } from "../advice.ts";
import { describeHost } from "../host/describe-host.ts";
import { loadOfOthers } from "../host/load-watch.ts";
import { Resources } from "../resources.ts";
import type { MeasuredSubject, Results } from "../results/schema.ts";
import { schemaVersion } from "../results/schema.ts";
import { type DriverModule, findDriver, type Place } from "../subjects/drivers.ts";
import { findPeers } from "../subjects/peers.ts";
import type { Case, Scale, Subject, WorkloadName } from "../workload.ts";
import { loadWorkload } from "../workloads/index.ts";
import { Progress, type ProgressReport } from "./progress.ts";
import { HostBusy, runCase } from "./run-case.ts";

export interface BenchOptions {
  readonly workloads: readonly WorkloadName[];
  readonly scale: Scale;
  readonly drivers: readonly DriverModule[];
  /** Everything is written below it: its file system is what is measured. */
  readonly directory: string;
  /** Also measure on these file systems, made in files in `directory`, where it is none of them itself. */
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
  readonly seed: number;
  readonly strata: Results["strata"];
  /** The `strata` command: the program and its first arguments. */
  readonly command: readonly string[];
  readonly signal: AbortSignal;
  readonly onProgress: (report: ProgressReport) => void;
}

/** Sparse: they take what is written. */
const loopBytes = 24 * 2 ** 30;
const quickBudgetMilliseconds = 100_000;

/**
 * Measure, and put the results together. Everything that is made on the way is removed.
 * @throws HostBusy, if `strict` and the host does something else
 * @throws the signal's reason
 */
export async function runBenchmarks(options: BenchOptions): Promise<Results> {
  const started = new Date();
  const began = performance.now();
  if (options.strict) {
    const reasons = await loadOfOthers();
    if (reasons.length > 0) throw new HostBusy(reasons);
  }
  const host = describeHost();
  await using resources = new Resources();
  const directory = await realpath(options.directory);
  const places: Place[] = [{ directory, loop: false }];
  for (const type of options.loop) {
    const made = resources.use(await LoopFileSystem.make(type, { directory, sizeBytes: loopBytes }));
    places.push({ directory: made.path, loop: true });
  }
  const datasets = resources.use(new Scratch(directory));
  const { subjects, about, missing } = await findSubjects(options, places);

  const threads = threadCounts(options.threads);
  const workloads: Results["workloads"] = [];
  const planned: { name: WorkloadName; measured: Case }[] = [];
  for (const name of options.workloads) {
    const workload = await loadWorkload(name);
    workloads.push({ name, title: workload.title, summary: workload.summary });
    const scope = { scale: options.scale, subjects, threads };
    const cases = workload.cases({
      ...scope,
      ...(options.archive !== undefined && { archive: options.archive }),
    });
    planned.push(...cases.map((measured) => ({ name, measured })));
  }

  const progress = new Progress(planned.map(({ measured }) => measured));
  const measurements: Results["measurements"] = [];
  const failures: Results["failures"] = [];
  for (const { name, measured } of planned) {
    options.signal.throwIfAborted();
    const share = options.scale === "quick" ? quickBudgetMilliseconds * progress.share(measured) : Infinity;
    const result = await runCase(name, measured, {
      scale: options.scale,
      seed: options.seed,
      datasets: datasets.path,
      command: options.command,
      cold: options.cold,
      strict: options.strict,
      ...(options.archive !== undefined && { archive: options.archive }),
      signal: options.signal,
      deadline: performance.now() + share,
      onTurn: ({ subject, round }) => options.onProgress(progress.turn(name, measured, subject, round)),
    });
    progress.finish(measured);
    measurements.push(...result.measurements);
    failures.push(...result.failures);
  }

  const results: Omit<Results, "advice"> = {
    schemaVersion,
    startedAt: started.toISOString(),
    durationMilliseconds: performance.now() - began,
    strata: options.strata,
    host,
    options: {
      scale: options.scale,
      workloads: [...options.workloads],
      threads,
      seed: options.seed,
      cache: options.cold ? "cold" : "warm",
      strict: options.strict,
      ...(options.archive !== undefined && { archive: options.archive }),
    },
    workloads,
    subjects: about,
    missing,
    measurements,
    failures,
  };
  return { ...results, advice: adviceFor(results) };
}

async function findSubjects(
  { drivers, peers, strata }: BenchOptions,
  places: readonly Place[],
): Promise<{ subjects: Subject[]; about: MeasuredSubject[]; missing: Results["missing"] }> {
  const subjects: Subject[] = [];
  const about: MeasuredSubject[] = [];
  const missing: Results["missing"] = [];
  const take = (subject: Subject, version: string, lacks: readonly string[]) => {
    const { id, kind, fileSystem: type, directory, loop } = subject;
    subjects.push(subject);
    about.push({ id, kind, version, fileSystem: { type, directory, loop }, lacks: [...lacks] });
  };
  for (const place of places) {
    for (const driver of drivers) {
      const found = await findDriver(driver, place);
      if ("subject" in found) take(found.subject, strata.version, found.lacks);
      else missing.push({ id: found.id, kind: "driver", reason: found.reason });
    }
  }
  const [main] = places;
  if (peers && main !== undefined) {
    const found = await findPeers(main);
    for (const peer of found.subjects) take(peer, peer.version, []);
    missing.push(...found.missing.map((each) => ({ ...each, kind: "peer" as const })));
  }
  return { subjects, about, missing };
}

/** 1, 2, 4, ..., and the most. */
function threadCounts(most: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count < most; count *= 2) counts.push(count);
  return [...counts, most];
}
