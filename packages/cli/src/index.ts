export type { GlobalOptions } from "./command.ts";
export type { Context } from "./context.ts";
export { Output } from "./output.ts";
export { run } from "./program.ts";
