import type { Case, Scope, TrialContext, Workload } from "../workload.ts";
import { copyFileByCp, makeFileForCp } from "./copy-up/cp.ts";
import { makeFiles, openFirstWrites } from "./copy-up/first-writes.ts";
import { makeTrees, openTreeChanges } from "./copy-up/tree-changes.ts";
import { driversOf } from "./snapshots.ts";

const KiB = 2 ** 10;
const MiB = 2 ** 20;

const sizes = {
  quick: { fileBytes: [4 * KiB, MiB, 64 * MiB], files: [200], most: 5, rounds: 2 },
  standard: {
    fileBytes: [4 * KiB, 64 * KiB, MiB, 16 * MiB, 256 * MiB],
    files: [2000],
    most: 10,
    rounds: 4,
  },
  full: {
    fileBytes: [4 * KiB, 64 * KiB, MiB, 16 * MiB, 256 * MiB, 1024 * MiB],
    files: [2000, 20_000],
    most: 20,
    rounds: 8,
  },
} as const;

/** Below this, it is the start of the program that cp takes its time for. */
const leastForCp = MiB;
/** Of files that are there to be written to, in all snapshots of a round together. */
const mostBytes = 256 * MiB;

/** The first write to what a lower layer holds. */
export const copyUp: Workload = {
  title: "Copy-up",
  summary:
    "The first write to a file of a lower layer: its first byte, or all of an append, an overwrite or a truncation; chmod, " +
    "chown and rename of a tree. What a driver copies in advance is counted where it does so, in prepare: the files of " +
    "all operations. A directory that cannot be renamed (EXDEV) is copied and removed, as mv does. Commits would be " +
    "durable, unless the case says not: overlayfs then syncs each file that it copies. Beside the first byte, " +
    "`cp --reflink=never` of the file, which syncs nothing.",

  cases: (scope) => [...casesOfFiles(scope), ...casesOfTrees(scope)],

  async setUp(context) {
    if (context.subject.kind === "peer") makeFileForCp(context);
    else if (isOfTrees(context)) await makeTrees(context);
    else await makeFiles(context);
  },

  async open(context) {
    if (context.subject.kind === "peer") return copyFileByCp(context);
    return isOfTrees(context) ? await openTreeChanges(context) : await openFirstWrites(context);
  },
};

function casesOfFiles(scope: Scope): Case[] {
  const { fileBytes, most, rounds } = sizes[scope.scale];
  const cp = scope.subjects.filter(({ id }) => id === "cp");
  const caseOf = (size: number, volatile: boolean): Case => {
    const iterations = Math.min(most, Math.max(1, Math.floor(mostBytes / 4 / size)));
    const how = volatile ? ", not durable" : "";
    return {
      title: `a file of ${inWords(size)}${how}`,
      parameters: { fileBytes: size, ...(volatile && { durability: "none" }) },
      subjects: [...driversOf(scope), ...(size >= leastForCp ? cp : [])],
      threads: 1,
      iterations,
      rounds,
      warmup: size * iterations < mostBytes,
      settle: true,
      turnSeconds: 0.3 + iterations * (0.05 + (4 * size) / (500 * MiB)),
    };
  };
  return [...fileBytes.map((size) => caseOf(size, false)), caseOf(MiB, true)];
}

function casesOfTrees(scope: Scope): Case[] {
  const { files, rounds } = sizes[scope.scale];
  return files.map((count) => ({
    title: `a tree of ${count} files`,
    parameters: { files: count },
    subjects: driversOf(scope),
    threads: 1,
    iterations: 1,
    rounds,
    warmup: true,
    settle: true,
    turnSeconds: 0.3 + count / 400,
  }));
}

function isOfTrees({ parameters }: Pick<TrialContext, "parameters">): boolean {
  return parameters["files"] !== undefined;
}

function inWords(bytes: number): string {
  return bytes < MiB ? `${bytes / KiB} KiB` : `${bytes / MiB} MiB`;
}
