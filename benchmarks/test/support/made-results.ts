import { randomNumbers } from "@strata/conformance/suite";
import type { MeasuredSubject, Measurement, Results } from "../../src/results/schema.ts";
import { statisticsOf } from "../../src/results/statistics.ts";

/** A case that was never run. */
export interface MadeCase
  extends Pick<Measurement, "workload" | "title" | "parameters" | "operation">,
    Partial<Pick<Measurement, "threads" | "workBytes" | "workFiles" | "disturbances">> {
  /** What each subject takes; those that are not named do not take part. */
  readonly milliseconds: Readonly<Record<string, number>>;
  /** @defaultValue 4 */
  readonly rounds?: number;
  /** In a round. @defaultValue 5 */
  readonly samples?: number;
  /** In an iteration. */
  readonly writtenBytes?: Readonly<Record<string, number>>;
}

/** How much samples differ by themselves. */
const noise = 0.02;

export function madeMeasurements(cases: readonly MadeCase[], seed = 1): Measurement[] {
  const random = randomNumbers(seed);
  return cases.flatMap(({ milliseconds, rounds = 4, samples = 5, writtenBytes = {}, ...about }) =>
    Object.entries(milliseconds).map(([subject, typical]): Measurement => {
      const written = writtenBytes[subject];
      const made = Array.from({ length: rounds }, () => {
        const samplesMilliseconds = Array.from(
          { length: samples },
          () => typical * (1 + noise * (random() + random() - 1)),
        );
        return {
          wallMilliseconds: samplesMilliseconds.reduce((sum, each) => sum + each, 0),
          samplesMilliseconds,
          ...(written !== undefined && { writtenBytes: written * samples }),
        };
      });
      return {
        threads: 1,
        disturbances: [],
        ...about,
        subject,
        rounds: made,
        statistics: statisticsOf(made.flatMap((round) => round.samplesMilliseconds)),
      };
    }),
  );
}

export const own = { type: "ext4", directory: "/srv", loop: false };
export const loop = { type: "btrfs", directory: "/srv/strata-1/mounted", loop: true };

export const overlay2: MeasuredSubject = {
  id: "overlay2",
  kind: "driver",
  version: "0.1.0",
  fileSystem: own,
  lacks: [
    "hardlinksKeptOnWrite: overlayfs copies a file up under the one name it is written by",
    "quotaBytes: overlayfs has no quotas",
  ],
};
export const vfs: MeasuredSubject = {
  id: "vfs",
  kind: "driver",
  version: "0.1.0",
  fileSystem: own,
  lacks: [
    "sharesParent: a snapshot starts as a copy of its parent",
    "quotaBytes: a directory has no limit of its own",
  ],
};
export const loopBtrfs: MeasuredSubject = {
  id: "btrfs on btrfs (loop)",
  kind: "driver",
  version: "0.1.0",
  fileSystem: loop,
  lacks: ["rebase: a snapshot holds a whole tree, not what differs from a parent"],
};
export const podman: MeasuredSubject = {
  id: "podman",
  kind: "peer",
  version: "4.3.1",
  fileSystem: own,
  lacks: [],
};
export const tar: MeasuredSubject = { id: "tar", kind: "peer", version: "1.34", fileSystem: own, lacks: [] };

const drivers = (overlay: number, copying: number, btrfs: number) => ({
  overlay2: overlay,
  vfs: copying,
  "btrfs on btrfs (loop)": btrfs,
});

/** What a run of everything comes to, in small. */
export function allCases(): MadeCase[] {
  const layer = {
    shape: "small",
    compressible: true,
    files: 10_000,
    bytes: 30e6,
    layers: 10,
    compression: "gzip",
  };
  const apply = (threads: number, durable: boolean, factor: number): MadeCase => ({
    workload: "apply",
    title: `10 gzip layers, up to ${threads} side by side${durable ? ", durable" : ""}`,
    parameters: { ...layer, threads, durable },
    operation: "apply",
    workBytes: 30e6,
    workFiles: 10_000,
    milliseconds: { ...drivers(700 * factor, 780 * factor, 900 * factor), ...(!durable && { tar: 1400 }) },
    samples: 1,
    writtenBytes: { overlay2: 41e6, vfs: 43e6 },
  });
  const calls = (title: string, parameters: Measurement["parameters"], size: number): MadeCase[] =>
    Object.entries({
      prepare: drivers(0.5, 0.2 * size, 2),
      mount: drivers(0.6, 0.1, 0.1),
      remove: drivers(0.2, 0.2, 0.2),
    }).map(([operation, milliseconds]) => ({
      workload: "lifecycle",
      title,
      parameters,
      operation,
      milliseconds,
    }));
  return [
    apply(1, false, 1.9),
    apply(2, false, 1),
    apply(4, false, 0.6),
    apply(4, true, 0.9),
    ...[4096, 2 ** 20, 2 ** 28].map(
      (fileBytes): MadeCase => ({
        workload: "copy-up",
        title: `a file of ${fileBytes} bytes`,
        parameters: { fileBytes },
        operation: "first byte",
        milliseconds: drivers(0.1 + fileBytes / 1e6, 0.02, 0.05),
        writtenBytes: drivers(fileBytes, 4096, 8192),
      }),
    ),
    ...[1, 2].map(
      (threads): MadeCase => ({
        workload: "hashing",
        title: `SHA-256, ${threads} threads`,
        parameters: { threads },
        threads,
        operation: "hash",
        workBytes: 64 * 2 ** 20,
        milliseconds: { overlay2: 34 },
      }),
    ),
    ...[1, 10, 100].flatMap((depth) => calls(`on a chain of ${depth}`, { depth }, depth)),
    ...[10, 1000].flatMap((snapshots) => calls(`with ${snapshots} snapshots in the store`, { snapshots }, 1)),
    ...calls("on a parent with 10000 files", { parentFiles: 10_000 }, 10_000),
    ...[1000, 10_000].map(
      (files): MadeCase => ({
        workload: "changes",
        title: `10 changes in ${files} files`,
        parameters: { files, changes: 10 },
        operation: "changes",
        milliseconds: drivers(2, files / 100, 3),
      }),
    ),
    {
      workload: "store",
      title: "load gzip layers",
      parameters: { does: "load", files: 20_000, bytes: 260e6 },
      operation: "load",
      milliseconds: { ...drivers(1500, 2400, 1800), podman: 6100 },
      samples: 1,
      disturbances: ["the load average was 3.2"],
    },
  ];
}

const titles: Readonly<Record<string, string>> = {
  apply: "Layer apply",
  "copy-up": "Copy-up",
  hashing: "Hashing",
  lifecycle: "Lifecycle",
  changes: "Changes and diff",
  store: "Store",
  registry: "Registry",
};

/** Results of a host that there is not. */
export function madeResults(changes: Partial<Results> = {}, cases = allCases(), seed = 1): Results {
  const names = [...new Set(cases.map(({ workload }) => workload))];
  return {
    schemaVersion: 1,
    startedAt: "2026-11-21T18:00:00.000Z",
    durationMilliseconds: 312_000,
    strata: { version: "0.1.0", commit: "0123456" },
    host: {
      name: "build-7",
      kernel: "6.18.1",
      architecture: "x64",
      processor: "AMD EPYC 9554P",
      processors: 4,
      memoryBytes: 16 * 2 ** 30,
      node: "20.20.2",
      root: true,
      loadAverage: 0.12,
    },
    options: {
      scale: "standard",
      workloads: names,
      threads: [1, 2, 4],
      seed: 1,
      cache: "warm",
      strict: false,
    },
    workloads: names.map((name) => ({ name, title: titles[name] ?? name, summary: `What ${name} times.` })),
    subjects: [overlay2, vfs, loopBtrfs, podman, tar],
    missing: [{ id: "umoci", kind: "peer", reason: "umoci is not installed" }],
    measurements: madeMeasurements(cases, seed),
    failures: [],
    advice: "",
    ...changes,
  };
}
