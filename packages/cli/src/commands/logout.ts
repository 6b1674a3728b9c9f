import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";

export function define(command: StrataCommand): Command {
  return command;
}
