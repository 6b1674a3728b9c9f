import { z } from "zod";

/** Goes up when a field changes its meaning or goes; new fields may come without. */
export const schemaVersion = 1;

const fileSystem = z.object({
  type: z.string(),
  directory: z.string(),
  loop: z.boolean().describe("made in a file for this run, for lack of one"),
});

const subject = z.object({
  id: z.string(),
  kind: z.enum(["driver", "peer"]),
  version: z.string().describe("of the driver's package, or as the tool itself says"),
  fileSystem,
  lacks: z.array(z.string()).describe("what a driver cannot do here, with the reason"),
});

const statistics = z.object({
  samples: z.int(),
  meanMilliseconds: z.number(),
  medianMilliseconds: z.number(),
  p99Milliseconds: z.number(),
  minimumMilliseconds: z.number(),
  maximumMilliseconds: z.number(),
  marginPercent: z.number().describe("half of the mean's 95 % confidence interval, in percent of the mean"),
});

const measurement = z.object({
  workload: z.string(),
  title: z.string().describe("the case in words"),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  threads: z.int().min(1),
  subject: z.string().describe("the id of one of the subjects"),
  operation: z.string(),
  workBytes: z.number().optional().describe("what one iteration of one thread handles"),
  workFiles: z.number().optional().describe("what one iteration of one thread handles"),
  rounds: z.array(
    z.object({
      wallMilliseconds: z.number().describe("from the first thread's begin to the last one's end"),
      samplesMilliseconds: z.array(z.number()).describe("of all threads"),
      writtenBytes: z.number().optional().describe("by the block device, sync included"),
      peakBytes: z
        .number()
        .optional()
        .describe("the most memory that a command, or the daemon behind it, ever had resident"),
    }),
  ),
  statistics,
  disturbances: z
    .array(z.string())
    .describe("what else the host did meanwhile; empty, if nothing to speak of"),
});

/** What `strata bench --json` writes: the source of tables, pages and comparisons. */
export const resultsSchema = z.object({
  schemaVersion: z.literal(schemaVersion),
  startedAt: z.iso.datetime(),
  durationMilliseconds: z.number(),
  strata: z.object({ version: z.string(), commit: z.string().optional() }),
  host: z.object({
    name: z.string(),
    kernel: z.string(),
    architecture: z.string(),
    processor: z.string(),
    processors: z.int(),
    memoryBytes: z.number(),
    node: z.string(),
    root: z.boolean(),
    loadAverage: z.number().describe("of the last minute, when the run began"),
  }),
  options: z.object({
    scale: z.enum(["quick", "standard", "full"]),
    workloads: z.array(z.string()),
    threads: z.array(z.int()),
    seed: z.number(),
    cache: z.enum(["warm", "cold"]).describe("cold: dropped before each sample"),
    strict: z.boolean(),
    archive: z.string().optional(),
  }),
  subjects: z.array(subject),
  missing: z.array(z.object({ id: z.string(), kind: z.enum(["driver", "peer"]), reason: z.string() })),
  measurements: z.array(measurement),
  failures: z.array(
    z.object({ workload: z.string(), title: z.string(), subject: z.string(), message: z.string() }),
  ),
  advice: z.string(),
});

export type Results = z.infer<typeof resultsSchema>;
export type Measurement = z.infer<typeof measurement>;
export type MeasuredRound = Measurement["rounds"][number];
export type Statistics = z.infer<typeof statistics>;
export type MeasuredSubject = z.infer<typeof subject>;
