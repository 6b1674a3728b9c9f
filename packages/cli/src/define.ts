import { addGlobalOptions, type StrataCommand } from "./command.ts";
import type { Context } from "./context.ts";

/** Give a command the global options, once; then load its own file, and let it add arguments, options, help and action. */
export async function define(command: StrataCommand, context: Context): Promise<void> {
  const { leaf } = command;
  if (command.defined) return;
  command.defined = true;
  addGlobalOptions(command, { listed: false, jsonFile: leaf?.jsonFile ?? false });
  if (leaf) (await leaf.load()).define(command, context);
}
