import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Something the host must have: `root`, or a program by its name. */
export type Facility = "root" | (string & {});

/** Those of `facilities` that are missing here. */
export function missingFacilities(facilities: readonly Facility[]): Facility[] {
  return facilities.filter((facility) =>
    facility === "root" ? process.geteuid?.() !== 0 : !findable(facility),
  );
}

function findable(program: string): boolean {
  // Daemons lie where an ordinary user's PATH does not look.
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return directories.some((directory) => isExecutable(join(directory, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
