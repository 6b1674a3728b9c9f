import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { errnoCode } from "./errors.ts";
import { FileLock } from "./file-lock.ts";
import { randomName } from "./ids.ts";

const persistentName = "persistent";

/** One process's claim on a mounted tree. */
export interface Lease {
  /** Give the claim up. Twice is fine. */
  drop(): void;
}

/**
 * The claims on the mounted tree of one snapshot: a directory with a file `<pid>-<random>` for each mount, flocked
 * by its process as long as that lives, and a file `persistent` that nobody needs to hold.
 *
 * A tree is not mounted before its first file is there, and the last file does not go before the tree is unmounted:
 * where there is no file, there is no mount. Only who holds the snapshot's lock may change the claims.
 */
export class MountLeases {
  readonly #directory: string;

  /** @param snapshot - the path of the snapshot's directory */
  constructor(snapshot: string) {
    this.#directory = `${snapshot}/mounts`;
  }

  /** Claim the tree for this process. */
  take(): Lease {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    for (;;) {
      const path = `${this.#directory}/${process.pid}-${randomName()}`;
      const lock = FileLock.tryTake(path, "exclusive");
      if (lock !== undefined) return { drop: () => this.#drop(path, lock) };
      // Someone was just looking whether the new file is held. It is a stale claim now; take another.
    }
  }

  /** Claim the tree for whoever comes. */
  takePersistent(): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
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
    return this.#names()
      .filter((name) => name !== persistentName && FileLock.isHeld(`${this.#directory}/${name}`))
      .map((name) => Number.parseInt(name, 10));
  }

  /** Wipe the claims of processes that were killed. */
  wipeStale(): void {
    for (const name of this.#names()) {
      const path = `${this.#directory}/${name}`;
      if (name !== persistentName && !FileLock.isHeld(path)) rmSync(path, { force: true });
    }
  }

  #names(): string[] {
    try {
      return readdirSync(this.#directory);
    } catch (error) {
      if (errnoCode(error) === "ENOENT") return [];
      throw error;
    }
  }

  #drop(path: string, lock: FileLock): void {
    rmSync(path, { force: true });
    lock.release();
  }
}
