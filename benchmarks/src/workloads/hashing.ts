import { createHash, randomBytes } from "node:crypto";
import { run } from "../peers/command.ts";
import type { Operation, Workload } from "../workload.ts";

/** What a layer is hashed by: what one read gives. */
const chunkBytes = 1024 * 1024;
const chunks = 64;

/** SHA-256, which every byte of an image passes through once or twice. */
export const hashing: Workload = {
  title: "Hashing",
  summary: "SHA-256 of data in memory, in chunks of 1 MiB; beside it what the host's own programs do.",

  cases: ({ scale, subjects, threads }) =>
    threads.map((count) => ({
      title: `SHA-256, ${count} ${count === 1 ? "thread" : "threads"}`,
      parameters: { threads: count },
      // Hashing is the same for all drivers.
      subjects: [
        ...subjects.filter(({ kind }) => kind === "driver").slice(0, 1),
        ...subjects.filter(({ id }) => id === "openssl"),
      ],
      threads: count,
      iterations: 4,
      rounds: scale === "quick" ? 5 : 10,
      warmup: true,
      settle: false,
      turnSeconds: 2,
    })),

  async open({ subject }) {
    const operation = subject.kind === "driver" ? hashOfNode() : speedOfOpenssl();
    return { operations: [operation], [Symbol.asyncDispose]: async () => {} };
  },
};

function hashOfNode(): Operation {
  const chunk = randomBytes(chunkBytes);
  return {
    name: "hash",
    work: { bytes: chunkBytes * chunks },
    run: () => {
      const hash = createHash("sha256");
      for (let index = 0; index < chunks; index++) hash.update(chunk);
      return hash.digest();
    },
  };
}

/** What openssl itself says of its speed with the same chunks: its start is not counted. */
function speedOfOpenssl(): Operation {
  return {
    name: "hash",
    work: { bytes: chunkBytes * chunks },
    run: async () => {
      const { stdout } = await run("openssl", [
        "speed",
        "-mr",
        "-seconds",
        "1",
        "-bytes",
        `${chunkBytes}`,
        "-evp",
        "sha256",
      ]);
      // +F:22:sha256:1234567.89, in bytes a second
      const bytesPerSecond = Number(/^\+F:\d+:[^:]+:([\d.]+)/m.exec(stdout)?.[1]);
      return { overriddenDuration: ((chunkBytes * chunks) / bytesPerSecond) * 1000 };
    },
  };
}
