import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync } from "node:fs";
import { text } from "node:stream/consumers";
import { scratch } from "./scratch.ts";

export const runsAsRoot = process.geteuid?.() === 0;

if (!runsAsRoot) {
  if (process.env["CI"]) throw new Error("in CI, the tests that mount must run too: run them as root");
  console.log("skipped: the tests that mount, which need root");
}

/** nobody, who owns nothing else. */
const uid = 65534;

/** A scratch directory that belongs to the user of {@link asOrdinaryUser}. */
export function ordinaryScratch(): string {
  const directory = scratch();
  if (runsAsRoot) chownSync(directory, uid, uid);
  return directory;
}

/** Run a module, which finds `root` defined, in a process of an ordinary user. */
export async function asOrdinaryUser(script: string, root: string): Promise<string> {
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
