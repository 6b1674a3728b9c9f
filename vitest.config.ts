import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// From this file, not from the working directory: a package's own `npm test` runs in the package.
const top = import.meta.dirname;
const rooms = ["packages", "drivers"].flatMap((parent) =>
  readdirSync(`${top}/${parent}`).map((name) => `${top}/${parent}/${name}`),
);
rooms.push(`${top}/benchmarks`);

/** Take minutes: begun last, they would leave all processors but one idle in the end. */
const lengthy = /store\/test\/(failpoints|full-disk|aborts|four-processes|kill)\.test\.ts$/;

class LengthyFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [
      ...sorted.filter(({ moduleId }) => lengthy.test(moduleId)),
      ...sorted.filter(({ moduleId }) => !lengthy.test(moduleId)),
    ];
  }
}

export default defineConfig({
  test: {
    // Real mounts, real peers and killed processes: generous, never a measure of speed.
    testTimeout: 120_000,
    hookTimeout: 300_000,
    // All processors: vitest would leave one idle, and much of the time goes into waiting for disks.
    maxWorkers: availableParallelism(),
    sequence: { sequencer: LengthyFirst },
    projects: rooms.map((root) => ({
      extends: true,
      test: {
        name: JSON.parse(readFileSync(`${root}/package.json`, "utf8")).name,
        root,
        include: ["test/**/*.test.ts"],
      },
    })),
  },
});
