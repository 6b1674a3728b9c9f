// npm run test:soak -- --minutes N [--seed S] [--path P]: the tests whose length can be chosen, for so long.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";

const top = new URL("../../../..", import.meta.url);
const { minutes, seed, path } = parseArgs({
  options: { minutes: { type: "string" }, seed: { type: "string" }, path: { type: "string" } },
}).values;

if (minutes === undefined && seed === undefined) {
  console.error("say how long: npm run test:soak -- --minutes 10 [--seed 1]");
  process.exit(2);
}
const fourProcesses = "packages/store/test/four-processes.test.ts";
// To repeat one failure, the others have nothing to say.
const others = path === undefined && existsSync(new URL(fourProcesses, top)) ? [fourProcesses] : [];
const { status } = spawnSync(
  "npx",
  ["vitest", "run", "packages/cli/test/model/side-by-side.test.ts", ...others, "--disable-console-intercept"],
  {
    cwd: top,
    stdio: "inherit",
    env: {
      ...process.env,
      STRATA_SOAK_MINUTES: minutes ?? "0",
      ...(seed !== undefined && { STRATA_SOAK_SEED: seed, STRATA_SEED: seed }),
      ...(path !== undefined && { STRATA_SOAK_PATH: path }),
    },
  },
);
process.exitCode = status ?? 1;
