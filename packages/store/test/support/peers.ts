import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, it } from "vitest";

/**
 * Tests that need other programs. Where one is missing they are skipped, with the reason; in CI that is a failure.
 */
export function describeWithPeers(title: string, programs: readonly string[], tests: () => void): void {
  const missing = programs.filter(
    (name) => !["/usr/bin", "/usr/sbin"].some((dir) => existsSync(`${dir}/${name}`)),
  );
  if (missing.length === 0) {
    describe(title, tests);
  } else if (process.env["CI"]) {
    it(title, () => {
      throw new Error(`CI must have ${missing.join(", ")}`);
    });
  } else {
    describe.skip(`${title} (skipped: ${missing.join(", ")} not installed)`, tests);
  }
}

/** Run a program and return what it printed. @throws Error with what it said, if it fails */
export function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
