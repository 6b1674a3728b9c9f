import { existsSync } from "node:fs";
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

/**
 * Whether there is a store under the root. What only lists names reads it without opening driver and store, which
 * would take most of its time; where there is none, there is nothing to list.
 */
export function hasStore(context: Context): boolean {
  return existsSync(join(rootOf(context.options), "oci-layout"));
}
