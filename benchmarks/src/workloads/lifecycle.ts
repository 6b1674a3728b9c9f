import type { Case, Scope, Workload } from "../workload.ts";
import { copyTreeByCp, makeTreeForCp } from "./lifecycle/cp.ts";
import { makeStore } from "./lifecycle/make-store.ts";
import { LifecycleTrial } from "./lifecycle/trial.ts";
import { driversOf } from "./snapshots.ts";

/** What is varied, one thing at a time. What a case does not name is as {@link usual}. */
interface Variation {
  readonly title: string;
  readonly parameters: Case["parameters"];
  /** How many snapshots are below the one that is measured. @defaultValue 1 */
  readonly depth?: number;
  /** Files that are written or copied for each snapshot that is made. @defaultValue some */
  readonly files?: number;
  /** Whether `cp` does the same to a plain directory. */
  readonly hasCp?: boolean;
  readonly threads?: number;
}

const sizes = {
  quick: { depths: [1, 10], snapshots: [10, 200], files: [1000], iterations: 10, rounds: 2 },
  standard: { depths: [1, 10, 100], snapshots: [10, 1000], files: [10_000], iterations: 20, rounds: 4 },
  full: {
    depths: [1, 10, 100, 400],
    snapshots: [10, 1000, 10_000],
    files: [10_000, 80_000],
    iterations: 50,
    rounds: 8,
  },
} as const;

/** From here on a snapshot is costly for a driver that copies. */
const manyFiles = 1000;

/** The life of a snapshot, call by call. */
export const lifecycle: Workload = {
  title: "Lifecycle",
  summary:
    "Each call of a snapshot's life, one after the other over some snapshots: prepare, mount, unmount, commit, view, stat, " +
    "remove, and a cleanup after one removal. What is written into the snapshots meanwhile is not counted, and commits " +
    "are not durable, unless the case says so. Beside prepare on a large parent, `cp -a` of the same tree.",

  cases(scope) {
    const { iterations, rounds } = sizes[scope.scale];
    const cp = scope.subjects.filter(({ id }) => id === "cp");
    return variations(scope).map(
      ({ title, parameters, depth = 1, files = 0, hasCp = false, threads = 1 }) => ({
        title,
        parameters,
        // Above the chain lie what is committed and the view of it.
        subjects: [...driversOf(scope, depth + 1), ...(hasCp ? cp : [])],
        threads,
        iterations: files < manyFiles ? iterations : 3,
        rounds,
        warmup: true,
        settle: true,
        turnSeconds: files < manyFiles ? 0.04 * iterations : 0.3 + files / 2000,
      }),
    );
  },

  setUp: (context) => (context.subject.kind === "driver" ? makeStore(context) : makeTreeForCp(context)),
  open: async (context) =>
    context.subject.kind === "driver" ? await LifecycleTrial.open(context) : copyTreeByCp(context),
};

function variations({ scale, threads }: Scope): Variation[] {
  const { depths, snapshots, files } = sizes[scale];
  return [
    ...depths.map((depth) => ({ title: `on a chain of ${depth}`, parameters: { depth }, depth })),
    ...snapshots.map((count) => ({
      title: `with ${count} snapshots in the store`,
      parameters: { snapshots: count },
    })),
    ...files.map((count) => ({
      title: `on a parent with ${count} files`,
      parameters: { parentFiles: count },
      files: count,
      hasCp: true,
    })),
    ...files.map((count) => ({
      title: `${count} files written into each snapshot`,
      parameters: { writtenFiles: count },
      files: count,
    })),
    { title: "durable commits", parameters: { durability: "commit" } },
    ...threads
      .filter((count) => count > 1)
      .map((count) => ({
        title: `${count} threads on one store`,
        // As the case of one thread that it is to be compared with.
        parameters: { depth: 1, threads: count },
        threads: count,
      })),
  ];
}
