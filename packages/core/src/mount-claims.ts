import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { errnoCode } from "./errors.ts";
import { FileLock } from "./file-lock.ts";
import { randomName } from "./ids.ts";

/** What the names of core's files for mounts begin with. */
const prefix = "mount-";
const persistentName = `${prefix}persistent`;

/** Whether a file in a snapshot's directory is a claim, be it of a killed process. Without any, the tree is not mounted. */
export function isClaim(name: string): boolean {
  return name.startsWith(prefix);
}

/** One process's claim on a mounted tree. */
export interface Claim {
  /** Give the claim up. Twice is fine. */
  drop(): void;
}

/**
 * The claims on the mounted tree of one snapshot: a file `mount-<pid>-<random>` for each mount, flocked by its
 * process as long as that lives, and a file `mount-persistent` that nobody needs to hold.
 *
 * A tree is not mounted before its first claim is there, and the last claim does not go before the tree is
 * unmounted: without a claim, there is no mount. Only who holds the snapshot's lock may change the claims.
 */
export class MountClaims {
  readonly #directory: string;

  /** @param directory - the path of the snapshot's directory */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Claim the tree for this process. */
  take(): Claim {
    for (;;) {
      const path = `${this.#directory}/${prefix}${process.pid}-${randomName()}`;
      const lock = FileLock.tryTake(path, "exclusive");
      if (lock !== undefined) return { drop: () => drop(path, lock) };
      // Somebody was just looking whether the new file is held. It is a stale claim now; take another.
    }
  }

  /** Claim the tree for whoever comes. */
  takePersistent(): void {
    writeFileSync(`${this.#directory}/${persistentName}`, "", { mode: 0o600 });
  }

  dropPersistent(): void {
    rmSync(`${this.#directory}/${persistentName}`, { force: true });
  }

  /** Whether there is a persistent claim. */
  get persistent(): boolean {
    return this.#names().includes(persistentName);
  }

  /** Whether there are claims at all, be it of killed processes. Without any, the tree is not mounted. */
  get any(): boolean {
    return this.#names().length > 0;
  }

  /** The ids of the living processes that hold claims, one for each claim. */
  holders(): number[] {
    return this.#ofProcesses()
      .filter((name) => FileLock.isHeld(`${this.#directory}/${name}`))
      .map((name) => Number.parseInt(name.slice(prefix.length), 10));
  }

  /** Wipe the claims of processes that were killed. */
  wipeStale(): void {
    for (const name of this.#ofProcesses()) {
      const path = `${this.#directory}/${name}`;
      if (!FileLock.isHeld(path)) rmSync(path, { force: true });
    }
  }

  #ofProcesses(): string[] {
    return this.#names().filter((name) => name !== persistentName);
  }

  #names(): string[] {
    try {
      return readdirSync(this.#directory).filter(isClaim);
    } catch (error) {
      if (errnoCode(error) === "ENOENT") return [];
      throw error;
    }
  }
}

function drop(path: string, lock: FileLock): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The disk fails, or is read-only since it did. Without its lock, the claim is a stale one, which the next wipes.
  }
  lock.release();
}
