import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { GlobalOptions } from "./command.ts";
import type { Output } from "./output.ts";

/** What every command works with. */
export interface Context {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Set before a command's action runs. */
  options: GlobalOptions;
}

/** The directory of all state: as root the system's, else the user's own. */
export function rootOf({ root = process.env["STRATA_ROOT"] }: GlobalOptions): string {
  return resolve(root || defaultRoot());
}

function defaultRoot(): string {
  if (process.geteuid?.() === 0) return "/var/lib/strata";
  return join(process.env["XDG_DATA_HOME"] || join(homedir(), ".local", "share"), "strata");
}
