import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { removeTree } from "@strata/core";
import { afterEach } from "vitest";

export const runsAsRoot = process.geteuid?.() === 0;

if (!runsAsRoot) {
  if (process.env["CI"]) throw new Error("in CI, the tests that mount must run too: run them as root");
  console.log("skipped: the tests that mount, which need root");
}

const directories: string[] = [];

afterEach(async () => {
  for (const directory of directories.splice(0)) await removeTree(directory);
});

/** A directory that is gone after the test. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "vfs-"));
  directories.push(directory);
  return directory;
}

/** nobody, who owns nothing else. */
const uid = 65534;

/**
 * Run a module in a process of an ordinary user; it finds `root` defined, a directory of that user's, after `setUp` has
 * had it.
 */
export async function asOrdinaryUser(
  script: string,
  setUp: (root: string) => Promise<void> = async () => {},
): Promise<string> {
  const root = scratch();
  await setUp(root);
  if (runsAsRoot) chownSync(root, uid, uid);
  const module = `const root = process.argv[1];\n${script}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", module, root], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "pipe"],
    ...(runsAsRoot && { uid, gid: uid }),
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  if (child.exitCode !== 0) throw new Error(`exit code ${child.exitCode}: ${stderr}`);
  return stdout;
}
