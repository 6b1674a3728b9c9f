import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { searchPath } from "./facilities.ts";

const execute = promisify(execFile);

/**
 * Run a program to its end.
 * @returns what it printed
 * @throws Error, with what it wrote to standard error, if its exit code is not 0
 */
export async function run(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await execute(program, args, { env: { ...process.env, PATH: searchPath } });
  return stdout;
}
