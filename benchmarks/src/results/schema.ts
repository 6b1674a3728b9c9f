import { z } from "zod";

/** Goes up when a field changes its meaning or goes; new fields may come without. */
export const schemaVersion = 1;

const fileSystem = z.object({
  type: z.string().describe("as the kernel calls it: `ext4`, `btrfs`"),
  directory: z.string().describe("where everything was written"),
  loop: z.boolean().describe("made in a file for this run, for lack of one"),
});

const subject = z.object({
  id: z.string().describe("`overlay2`, `vfs on xfs (loop)`, `podman`"),
  kind: z.enum(["driver", "peer"]).describe("a driver of Strata's, or a tool of the host"),
  version: z.string().describe("of the driver's package, or as the tool itself says"),
  fileSystem: fileSystem.describe("what it was measured on"),
  lacks: z.array(z.string()).describe("what a driver cannot do here, with the reason"),
});

const statistics = z.object({
  samples: z.int().describe("how many there are, of all rounds and threads"),
  meanMilliseconds: z.number().describe("their mean"),
  medianMilliseconds: z.number().describe("their median"),
  p99Milliseconds: z.number().describe("99 of 100 took no longer"),
  minimumMilliseconds: z.number().describe("the shortest"),
  maximumMilliseconds: z.number().describe("the longest"),
  marginPercent: z.number().describe("half of the mean's 95 % confidence interval, in percent of the mean"),
});

const round = z.object({
  wallMilliseconds: z
    .number()
    .describe("from the first thread's begin to the last one's end, with what is done between samples"),
  samplesMilliseconds: z.array(z.number()).describe("how long each iteration took, of all threads"),
  writtenBytes: z
    .number()
    .optional()
    .describe(
      "by the block device, in all iterations of the round, sync included; only where it was counted",
    ),
  peakBytes: z
    .number()
    .optional()
    .describe("the most memory that a command, or the daemon behind it, ever had resident"),
});

const workload = z.object({
  name: z.string().describe("as `--workload` takes it"),
  title: z.string().describe("in words, for headings"),
  summary: z.string().describe("what is timed, and what is not"),
});

const measurement = z.object({
  workload: z.string().describe("the name of one of the workloads"),
  title: z.string().describe("the case in words; with the parameters, it tells one case from the others"),
  parameters: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .describe("what the case was measured with; the same for all its subjects"),
  threads: z.int().min(1).describe("how many did it at the same time"),
  subject: z.string().describe("the id of one of the subjects"),
  operation: z.string().describe("what was timed: `apply`, `prepare`, `open`"),
  workBytes: z.number().optional().describe("what one iteration of one thread handles"),
  workFiles: z.number().optional().describe("what one iteration of one thread handles"),
  rounds: z.array(round).describe("the raw samples; in each round, every subject takes a turn"),
  statistics: statistics.describe("of the samples of all rounds"),
  disturbances: z
    .array(z.string())
    .describe("what else the host did meanwhile; empty, if nothing to speak of"),
});

const missing = z.object({
  id: z.string().describe("as a subject's, or a program that a workload takes"),
  kind: z.enum(["driver", "peer"]).describe("as a subject's"),
  reason: z.string().describe("why it could not be measured here"),
});

const failure = z.object({
  workload: z.string().describe("the name of one of the workloads"),
  title: z.string().describe("the case in words"),
  subject: z.string().describe("the id of one of the subjects"),
  message: z.string().describe("what went wrong; its measurements of the case are left out"),
});

const host = z.object({
  name: z.string().describe("its host name"),
  kernel: z.string().describe("Linux's release"),
  architecture: z.string().describe("as Node.js calls it: `x64`, `arm64`"),
  processor: z.string().describe("the model, as the kernel names it"),
  processors: z.int().describe("how many this process could use"),
  memoryBytes: z.number().describe("the host's memory"),
  node: z.string().describe("the version of Node.js"),
  root: z.boolean().describe("whether it ran as root"),
  loadAverage: z.number().describe("of the last minute, when the run began"),
});

const options = z.object({
  scale: z.enum(["quick", "standard", "full"]).describe("how much was measured"),
  workloads: z.array(z.string()).describe("the names of those that were asked for"),
  threads: z.array(z.int()).describe("the numbers of threads to measure with"),
  seed: z.number().describe("data sets are made from it"),
  cache: z.enum(["warm", "cold"]).describe("cold: dropped before each sample"),
  strict: z.boolean().describe("whether a host that does something else was refused"),
  archive: z.string().optional().describe("what was measured with, in place of made data"),
});

/** What `strata bench --json` writes: the source of tables, pages and comparisons. */
export const resultsSchema = z.object({
  schemaVersion: z
    .literal(schemaVersion)
    .describe("goes up when a field changes its meaning or goes; new fields may come without"),
  startedAt: z.iso.datetime().describe("when the run began, as ISO 8601"),
  durationMilliseconds: z.number().describe("how long it took"),
  strata: z
    .object({
      version: z.string().describe("of the `strata` command"),
      commit: z.string().optional().describe("of the checkout that it ran from"),
    })
    .describe("what was measured"),
  host: host.describe("what figures depend on"),
  options: options.describe("what was asked for"),
  workloads: z.array(workload).describe("what was measured, in order"),
  subjects: z.array(subject).describe("what took part"),
  missing: z.array(missing).describe("what could not take part"),
  measurements: z.array(measurement).describe("one for each case, subject and operation"),
  failures: z.array(failure).describe("what went wrong"),
  advice: z.string().describe("one paragraph: which driver for this host, why, and what it lacks"),
});

/** All that a run measured: see docs/bench-results.md. */
export type Results = z.infer<typeof resultsSchema>;
/** One operation of one case, as one subject did it. */
export type Measurement = z.infer<typeof measurement>;
export type MeasuredRound = Measurement["rounds"][number];
export type Statistics = z.infer<typeof statistics>;
export type MeasuredSubject = z.infer<typeof subject>;
