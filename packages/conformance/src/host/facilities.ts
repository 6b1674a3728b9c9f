import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Facility } from "../driver-under-test.ts";

/** Those of `facilities` that are missing on this host. */
export function missingFacilities(facilities: readonly Facility[]): Facility[] {
  return facilities.filter((facility) =>
    facility === "root" ? process.geteuid?.() !== 0 : !isInstalled(facility),
  );
}

function isInstalled(program: string): boolean {
  // Tools of the administrator lie where an ordinary user's PATH does not look.
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
