import type { Context } from "./context.ts";
import { Output } from "./output.ts";
import { run } from "./program.ts";
import { abortOnSignals } from "./signals.ts";

const context: Context = {
  stdout: new Output(process.stdout),
  stderr: new Output(process.stderr),
  signal: abortOnSignals(),
  options: {},
};

process.exitCode = await run(process.argv.slice(2), context);
// The command has cleaned up. What only the system ends, as a connection that is being made, is not waited for.
if (context.signal.aborted) process.exit();
