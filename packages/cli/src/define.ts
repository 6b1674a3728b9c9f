import type { StrataCommand } from "./command.ts";
import type { Context } from "./context.ts";

/** Load a command's own file, once, and let it add arguments, options, help and action. */
export async function define(command: StrataCommand, context: Context): Promise<void> {
  const { leaf } = command;
  if (!leaf || command.defined) return;
  command.defined = true;
  (await leaf.load()).define(command, context);
}
