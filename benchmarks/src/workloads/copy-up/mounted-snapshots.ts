import type { Mount, StorageDriver } from "@strata/core";
import type { Operation, TrialContext } from "../../workload.ts";
import { numbered } from "../numbered.ts";
import { openRoot } from "../snapshots.ts";

export const parentName = "parent";

/** Snapshots of the parent that are new in each round, and mounted meanwhile. */
export class MountedSnapshots implements AsyncDisposable {
  /** The first operation of a round: it makes them. */
  readonly prepare: Operation;
  /** The last one. */
  readonly discard: Operation;
  readonly #driver: StorageDriver;
  readonly #mounts = new Map<number, Mount>();

  static async open(context: TrialContext): Promise<MountedSnapshots> {
    // A driver's default is what people have: where it is not durable, overlayfs does not sync what it copies.
    const durability = context.parameters["durability"] === "none" ? "none" : "commit";
    return new MountedSnapshots(context, await openRoot(context, durability));
  }

  private constructor({ iterations, signal }: TrialContext, driver: StorageDriver) {
    this.#driver = driver;
    this.prepare = numbered(iterations, {
      name: "prepare",
      countsWrites: true,
      run: async (number) => {
        const active = await driver.prepare(keyOf(number), parentName, { signal });
        this.#mounts.set(number, await active.mount());
      },
    });
    this.discard = numbered(iterations, {
      name: "discard",
      run: async (number) => {
        await this.#mounts.get(number)?.close();
        await driver.remove(keyOf(number));
        await driver.cleanup({ signal });
      },
    });
  }

  /** Where the snapshot of an iteration is mounted. */
  path(number: number): string {
    const mount = this.#mounts.get(number);
    if (mount === undefined) throw new TypeError(`there is no snapshot ${number} in this round`);
    return mount.path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver.close();
  }
}

function keyOf(number: number): string {
  return `active-${number}`;
}
