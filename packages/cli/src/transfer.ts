import type { Registries } from "@strata/registry";
import type { Reference } from "@strata/store";
import type { Context } from "./context.ts";

/** What `pull` and `push` have in common on the command line. */
export interface TransferOptions {
  readonly allTags?: boolean;
  readonly quiet?: boolean;
}

/** What every step of a pull or a push works with. */
export interface Transfer<O extends TransferOptions = TransferOptions> {
  readonly context: Context;
  readonly registries: Registries;
  readonly options: O;
}

/**
 * Whether a name on the command line says which image of its repository is meant: `latest` is, if it does not.
 * @throws Error, in docker's words, if it does though all of them are asked for
 */
export function namesOneImage({ tag, digest }: Reference, { allTags }: TransferOptions): boolean {
  const isNamed = tag !== undefined || digest !== undefined;
  if (allTags && isNamed) throw new Error("tag can't be used with --all-tags/-a");
  return isNamed;
}

/** Print a line for people: neither with `--quiet` nor with `--json`. */
export async function say({ context, options }: Omit<Transfer, "registries">, line: string): Promise<void> {
  if (!options.quiet && !context.options.json) await context.stdout.line(line);
}
