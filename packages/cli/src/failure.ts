import { UsageError } from "./command.ts";
import type { Context } from "./context.ts";
import { BrokenPipe } from "./output.ts";
import { Interrupted } from "./signals.ts";

/** A message that was given to the user already, or needs none; only the exit code is left. */
export class Failed extends Error {
  override readonly name = "Failed";
  readonly exitCode: number;

  constructor(exitCode = 1) {
    super(`exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** What a shell reports for SIGPIPE. */
const brokenPipeCode = 141;
const usageCode = 125;

/**
 * Tell the user what went wrong, without a stack trace, which only `STRATA_DEBUG=1` brings.
 * @returns the exit code: 125 for a command line that is not understood, 128 and more for signals, else 1
 */
export async function reportFailure(error: unknown, context: Context): Promise<number> {
  if (error instanceof BrokenPipe) return brokenPipeCode;
  if (error instanceof Failed) return error.exitCode;
  if (error instanceof Interrupted) return error.exitCode;
  // The reader of standard error may be gone as well.
  await describe(error, context).catch(() => undefined);
  return error instanceof UsageError ? usageCode : 1;
}

async function describe(error: unknown, { stderr, options }: Context): Promise<void> {
  if (error instanceof UsageError) {
    await stderr.line(`${error.command}: ${error.message}\nSee '${error.command} --help'.`);
  } else if (options.json) {
    await stderr.json({ error: { code: codeOf(error), message: messageOf(error) } });
  } else await stderr.line(`Error: ${messageOf(error)}`);
  if (process.env["STRATA_DEBUG"]) await stderr.line(traceOf(error));
}

/** The message alone. What is not an Error is not ours either, but still says something. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A `StrataError`'s code, or a system error's errno. Read without loading the package that defines them. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const trace = error.stack ?? error.message;
  return error.cause === undefined ? trace : `${trace}\ncaused by: ${traceOf(error.cause)}`;
}
