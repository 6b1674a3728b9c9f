import type { Case, Scope, Workload } from "../workload.ts";
import { makeChain } from "./read/make-chain.ts";
import { openReads } from "./read/reads.ts";
import { driversOf } from "./snapshots.ts";

const MiB = 2 ** 20;
/** Of the chain that several threads read through: one of those that a single thread does. */
const usualDepth = 10;

const sizes = {
  quick: { depths: [1, 10], copiedDepth: 10, files: 300, largeBytes: 32 * MiB, iterations: 3, rounds: 3 },
  standard: {
    depths: [1, 10, 50, 100],
    copiedDepth: 10,
    files: 2000,
    largeBytes: 128 * MiB,
    iterations: 5,
    rounds: 5,
  },
  full: {
    depths: [1, 10, 50, 100],
    copiedDepth: 50,
    files: 10_000,
    largeBytes: 512 * MiB,
    iterations: 5,
    rounds: 10,
  },
} as const;

/** Reading through the chain. */
export const read: Workload = {
  title: "Read",
  summary:
    "Reading a view of a chain of layers that each hold an equal part of its small files: the first file opened after the " +
    "mount, all small files opened and read to their end, all directories listed with the attributes of what is in them, " +
    "and one large file.",

  cases(scope) {
    const { depths } = sizes[scope.scale];
    return [
      ...depths.map((depth) => caseOf(scope, depth, 1)),
      ...scope.threads.filter((count) => count > 1).map((count) => caseOf(scope, usualDepth, count)),
    ];
  },

  setUp: makeChain,
  open: openReads,
};

function caseOf(scope: Scope, depth: number, threads: number): Case {
  const { copiedDepth, files, largeBytes, iterations, rounds } = sizes[scope.scale];
  const through = depth === 1 ? "one layer" : `${depth} layers`;
  return {
    title: threads > 1 ? `through ${through}, ${threads} threads` : `through ${through}`,
    parameters: { depth, files, largeBytes, ...(threads > 1 && { threads }) },
    // Where each layer is a copy of the whole tree, a long chain costs much, and reading it is the same.
    subjects: driversOf(scope, depth).filter(
      ({ capabilities }) => capabilities.sharesParent.supported || depth <= copiedDepth,
    ),
    threads,
    iterations,
    rounds,
    warmup: true,
    settle: true,
    turnSeconds: 0.1 + iterations * (files / 10_000 + largeBytes / (2000 * MiB)),
  };
}
