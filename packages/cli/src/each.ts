import type { Context } from "./context.ts";
import { Failed, messageOf } from "./failure.ts";

/**
 * Do something to each of the named things, print the names of those it was done to, and report the others at the
 * end: one failure does not keep the rest from being done.
 * @throws Failed, if any of them failed
 */
export async function forEachName(
  context: Context,
  names: readonly string[],
  act: (name: string) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  const done: string[] = [];
  for (const name of names) {
    context.signal.throwIfAborted();
    try {
      await act(name);
      done.push(name);
      if (!context.options.json) await context.stdout.line(name);
    } catch (error) {
      failures.push(error);
    }
  }
  if (context.options.json) await context.stdout.json(done);
  for (const error of failures) await context.stderr.line(`Error: ${messageOf(error)}`);
  if (failures.length > 0) throw new Failed();
}
