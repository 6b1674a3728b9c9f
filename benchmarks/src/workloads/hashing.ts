import type { Case, Parameters, Scope, Workload } from "../workload.ts";
import { blobsToHash, hashingParameters } from "./hashing/input.ts";
import { openHash } from "./hashing/operations.ts";

const sizes = {
  quick: { memory: 128 * 2 ** 20, blob: 60e6, diffId: 40e6, rounds: 3 },
  standard: { memory: 256 * 2 ** 20, blob: 256e6, diffId: 256e6, rounds: 10 },
  full: { memory: 256 * 2 ** 20, blob: 1e9, diffId: 1e9, rounds: 20 },
} as const;

const titles = {
  memory: "SHA-256 of data in memory",
  blob: "SHA-256 of blobs, read from files",
  diffId: "SHA-256 of what gzip layers inflate to",
} as const;

/** The programs that do the same. */
const peers = { memory: "openssl", blob: "sha256sum", diffId: "sha256sum" } as const;

/** SHA-256, which every byte of an image passes through once or twice. */
export const hashing: Workload = {
  title: "Hashing",
  summary:
    "SHA-256 as layers are hashed: of data in memory, in chunks of 256 KiB, beside `openssl speed` with the same chunks; " +
    "of blobs as they are read from files, beside `sha256sum`; and of what gzip layers inflate to, which takes a second " +
    "thread beside each, and `gzip -dc | sha256sum` two processes. The start of a command is counted, but for openssl, " +
    "which tells how fast it was.",

  cases: (scope) => scope.threads.flatMap((threads) => casesWith(threads, scope)),

  async setUp(context) {
    const parameters = hashingParameters.parse(context.parameters);
    if (parameters.source !== "memory") await blobsToHash(context, parameters);
  },

  async open(context) {
    const operation = await openHash(context, hashingParameters.parse(context.parameters));
    return { operations: [operation], [Symbol.asyncDispose]: async () => {} };
  },
};

function casesWith(threads: number, { scale, subjects, archive }: Scope): Case[] {
  const { rounds, ...bytes } = sizes[scale];
  // It is the same for all drivers.
  const strata = subjects.filter(({ kind }) => kind === "driver").slice(0, 1);
  return (["memory", "blob", "diffId"] as const).map((source) => {
    const ofArchive = archive !== undefined && source !== "memory";
    const parameters: Parameters = {
      source,
      threads,
      ...(!ofArchive && { bytes: bytes[source] }),
    };
    const each = strata.length > 0 ? [...strata, ...subjects.filter(({ id }) => id === peers[source])] : [];
    return {
      title: `${titles[source]}${ofArchive ? ", of the archive" : ""}, ${threads} ${threads === 1 ? "thread" : "threads"}`,
      parameters,
      subjects: each,
      threads,
      // One: openssl takes a second for each.
      iterations: 1,
      rounds,
      warmup: true,
      settle: false,
      turnSeconds: source === "memory" ? 0.6 : bytes[source] / 4e8,
    };
  });
}
