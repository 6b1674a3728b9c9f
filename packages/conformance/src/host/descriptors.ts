import { readdirSync } from "node:fs";
import { run } from "./run-program.ts";

/** Let another process open so many files more than it has open now, and no more. Needs `prlimit`. */
export async function limitDescriptors(pid: number, more: number): Promise<void> {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let limit = 0;
  for (let free = 0; free < more || open.has(limit); limit += 1) if (!open.has(limit)) free += 1;
  await run("prlimit", ["--pid", `${pid}`, `--nofile=${limit}:`]);
}
