import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** The variables that name files of the user. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The user's home directory. */
export function homeOf(env: Environment): string {
  return env["HOME"] || homedir();
}

/** Where programs keep their settings. @see XDG Base Directory Specification: a relative path is not taken. */
export function configHomeOf(env: Environment): string {
  const given = env["XDG_CONFIG_HOME"];
  return given && isAbsolute(given) ? given : join(homeOf(env), ".config");
}
