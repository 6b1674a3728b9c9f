import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ActiveSnapshot, Mount, StorageDriver } from "@strata/core";
import type { Operation, Trial, TrialContext } from "../../workload.ts";
import { numbered } from "../numbered.ts";
import { numberIn, openRoot } from "../snapshots.ts";
import { fileBytes, parentName, usual } from "./make-store.ts";

/** In a directory of what is written into a snapshot. */
const filesADirectory = 100;

/** The calls of a snapshot's life: each operation handles all snapshots of a round, and the next one goes on with them. */
export class LifecycleTrial implements Trial {
  readonly operations: readonly Operation[];
  readonly #driver: StorageDriver;
  readonly #signal: AbortSignal;
  readonly #thread: number;
  readonly #writtenFiles: number;
  readonly #actives = new Map<number, ActiveSnapshot>();
  readonly #mounts = new Map<number, Mount>();

  static async open(context: TrialContext): Promise<LifecycleTrial> {
    const durability = context.parameters["durability"] === "commit" ? "commit" : "none";
    return new LifecycleTrial(context, await openRoot(context, durability));
  }

  private constructor(context: TrialContext, driver: StorageDriver) {
    const { iterations, signal } = context;
    this.#driver = driver;
    this.#signal = signal;
    this.#thread = context.thread;
    this.#writtenFiles = numberIn(context, "writtenFiles", usual.writtenFiles);
    this.operations = [
      numbered(iterations, {
        name: "prepare",
        run: async (number) => {
          const active = await driver.prepare(this.#id("active", number), parentName, { signal });
          this.#actives.set(number, active);
        },
      }),
      numbered(iterations, {
        name: "mount",
        run: async (number) => {
          const mount = await this.#actives.get(number)?.mount();
          if (mount !== undefined) this.#mounts.set(number, mount);
        },
        after: (number) => this.#write(this.#mounts.get(number)),
      }),
      numbered(iterations, {
        name: "unmount",
        run: (number) => this.#mounts.get(number)?.close(),
      }),
      numbered(iterations, {
        name: "commit",
        run: (number) => this.#actives.get(number)?.commit(this.#id("committed", number)),
      }),
      numbered(iterations, {
        name: "view",
        run: (number) => driver.view(this.#id("view", number), this.#id("committed", number)),
        after: (number) => driver.remove(this.#id("view", number)),
      }),
      numbered(iterations, {
        name: "stat",
        run: (number) => driver.stat(this.#id("committed", number)),
      }),
      numbered(iterations, {
        name: "remove",
        run: (number) => driver.remove(this.#id("committed", number)),
      }),
      numbered(iterations, {
        name: "cleanup",
        // What was removed until now is given back all at once; of what is timed, each has one snapshot to do.
        before: async (number) => {
          if (number === 0) await driver.cleanup({ signal });
          await this.#removeAnother(this.#id("another", number));
        },
        run: () => driver.cleanup({ signal }),
      }),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver.close();
  }

  #id(kind: string, number: number): string {
    return `${kind}-${this.#thread}-${number}`;
  }

  async #removeAnother(key: string): Promise<void> {
    const active = await this.#driver.prepare(key, parentName, { signal: this.#signal });
    {
      await using mount = await active.mount();
      this.#write(mount);
    }
    await this.#driver.remove(key);
  }

  #write(mount: Mount | undefined): void {
    if (mount === undefined) return;
    const content = Buffer.alloc(fileBytes);
    for (let index = 0; index < this.#writtenFiles; index++) {
      const directory = join(mount.path, `written-${Math.floor(index / filesADirectory)}`);
      if (index % filesADirectory === 0) mkdirSync(directory);
      writeFileSync(join(directory, `${index}`), content);
    }
  }
}
