import { spawnSync } from "node:child_process";
import { it } from "vitest";

/** A test that needs a command of another project. Without it the test is skipped; where CI forgot it, it fails. */
export function withPeer(command: string): ReturnType<typeof it.skipIf> {
  const isMissing = spawnSync(command, ["--version"]).error !== undefined;
  if (isMissing) {
    const reason = `${command} is not installed`;
    if (process.env["CI"] === "true") throw new Error(reason);
    console.warn(`some tests are skipped: ${reason}`);
  }
  return it.skipIf(isMissing);
}
