import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, it } from "vitest";

/** What a group of tests needs of the host: programs, by name, or `root`. */
export type Need = "root" | (string & {});

/**
 * A group of tests that needs something of the host. Where that is missing the group is skipped with the reason in
 * its title; in CI, where everything must be there, it fails.
 */
export function describeWith(title: string, needs: readonly Need[], tests: () => void): void {
  const missing = needs.filter((need) => !isThere(need));
  if (missing.length === 0) {
    describe(title, tests);
  } else if (process.env["CI"]) {
    it(title, () => {
      throw new Error(`missing here, and CI must have it: ${missing.join(", ")}`);
    });
  } else {
    describe.skip(`${title} (skipped: missing here: ${missing.join(", ")})`, tests);
  }
}

function isThere(need: Need): boolean {
  if (need === "root") return process.geteuid?.() === 0;
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return directories.some((directory) => isExecutable(join(directory, need)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
