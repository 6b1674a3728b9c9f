import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AT_FDCWD, close, O_DIRECTORY, O_RDONLY, openat } from "@strata/linux";
import { afterEach, beforeEach, it } from "vitest";

const isRoot = process.geteuid?.() === 0;
if (!isRoot) {
  const reason = "needs root: mounts, devices, foreign owners and trusted.* attributes";
  if (process.env["CI"] === "true") throw new Error(reason);
  console.warn(`some tests are skipped: ${reason}`);
}

/** A test that only root can run. */
export const asRoot = it.skipIf(!isRoot);

/** A directory of each test's own, by path and by descriptor. */
export interface Scratch {
  path: string;
  fd: number;
}

export function useScratch(): Scratch {
  const scratch: Scratch = { path: "", fd: -1 };
  beforeEach(() => {
    scratch.path = mkdtempSync(join(tmpdir(), "strata-linux-"));
    scratch.fd = openat(AT_FDCWD, scratch.path, O_RDONLY | O_DIRECTORY);
  });
  afterEach(() => {
    close(scratch.fd);
    rmSync(scratch.path, { recursive: true });
  });
  return scratch;
}

/** Run `action` with a descriptor that is closed afterwards. */
export function using<T>(fd: number, action: (fd: number) => T): T {
  try {
    return action(fd);
  } finally {
    close(fd);
  }
}
