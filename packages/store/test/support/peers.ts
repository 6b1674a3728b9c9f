import { execFileSync } from "node:child_process";

/** Run a program and return what it printed. @throws Error with what it said, if it fails */
export function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
