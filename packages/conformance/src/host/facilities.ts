import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Facility } from "../driver-under-test.ts";

/** Those of `facilities` that are missing on this host. */
export function missingFacilities(facilities: readonly Facility[]): Facility[] {
  return facilities.filter((facility) =>
    facility === "root" ? process.geteuid?.() !== 0 : !isInstalled(facility),
  );
}

/** Where programs are looked for: those of the administrator lie where an ordinary user's PATH does not lead. */
export const searchPath = [process.env["PATH"] ?? "", "/usr/sbin", "/sbin"].join(delimiter);

function isInstalled(program: string): boolean {
  return searchPath.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
