import type { Scope, Workload } from "../workload.ts";
import { openSnapshot, prepareSnapshot } from "./changes/snapshot.ts";
import { makeTrees, openTrees } from "./changes/two-trees.ts";
import { driversOf } from "./snapshots.ts";

const sizes = {
  quick: { files: [1000, 5000], changes: [0, 10], iterations: 5, rounds: 2 },
  standard: { files: [1000, 10_000], changes: [0, 10, 1000], iterations: 10, rounds: 4 },
  full: { files: [1000, 10_000, 80_000], changes: [0, 10, 1000], iterations: 10, rounds: 8 },
} as const;

/** What a layer changes against its parent, and the archive of it. */
export const changes: Workload = {
  title: "Changes and diff",
  summary:
    "What was changed in a snapshot: a third of it written to, a third removed, a third added, spread over the tree. The " +
    "list of changes, and the archive of them, which goes nowhere. Beside it, `find -ls` over both trees as plain " +
    "directories, which does not compare them.",

  cases(scope) {
    const { files, changes, iterations, rounds } = sizes[scope.scale];
    return files.flatMap((fileCount) =>
      // With more, it would be another tree.
      changes
        .filter((count) => count <= fileCount / 10)
        .map((count) => ({
          title: `${count} changes in ${fileCount} files`,
          parameters: { files: fileCount, changes: count },
          subjects: subjectsOf(scope),
          threads: 1,
          iterations,
          rounds,
          warmup: true,
          settle: true,
          turnSeconds: 0.1 + (iterations * (2 * fileCount + 20 * count)) / 100_000,
        })),
    );
  },

  setUp: (context) => (context.subject.kind === "driver" ? prepareSnapshot(context) : makeTrees(context)),
  open: (context) => (context.subject.kind === "driver" ? openSnapshot(context) : openTrees(context)),
};

function subjectsOf(scope: Scope) {
  return [...driversOf(scope), ...scope.subjects.filter(({ id }) => id === "find")];
}
