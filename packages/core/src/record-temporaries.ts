import { readdirSync, rmSync } from "node:fs";
import { errnoCode } from "./errors.ts";
import { FileLock } from "./file-lock.ts";
import type { StateDirectory } from "./state-directory.ts";

const suffix = ".tmp";

/**
 * Where the new record of a snapshot is written first, by who holds its lock. In the trash, where what a killed process
 * leaves is found without a look at each snapshot.
 */
export function recordTemporary(state: StateDirectory, directory: string): string {
  return `${state.trashPath(directory)}${suffix}`;
}

/** Wipe what killed processes left of these. @returns what else is in the trash */
export function wipeRecordTemporaries(state: StateDirectory): string[] {
  return readdirSync(`${state.root}/trash`).filter((name) => {
    if (!name.endsWith(suffix)) return true;
    const temporary = state.trashPath(name);
    try {
      const snapshot = state.path(name.slice(0, -suffix.length));
      using lock = FileLock.tryTake(snapshot, "exclusive", { create: false });
      if (lock !== undefined) rmSync(temporary, { force: true });
    } catch (error) {
      if (errnoCode(error) !== "ENOENT") throw error;
      rmSync(temporary, { force: true }); // The snapshot itself is gone.
    }
    return false;
  });
}
