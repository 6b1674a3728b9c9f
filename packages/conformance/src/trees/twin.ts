import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { errnoCode } from "@strata/core";
import { type CompareTreesOptions, compareTrees } from "@strata/layer";
import type { Edit, Trial } from "../trial.ts";
import { settleTimes } from "./settle-times.ts";

/**
 * A chain of snapshots and a plain directory to which the same is done. After every step the two trees must be equal in
 * all that a layer can hold.
 */
export class Twin {
  readonly #trial: Trial;
  /** The plain directory. */
  readonly plain: string;
  readonly #names: string[] = [];

  constructor(trial: Trial) {
    this.#trial = trial;
    this.plain = trial.directory("plain");
  }

  /** The name of the newest committed snapshot. */
  get top(): string | undefined {
    return this.#names.at(-1);
  }

  /**
   * Make one more layer: do `edit` to a new snapshot on top of the newest, which must be equal to begin with, then to
   * the plain directory, and compare the two while the snapshot is active, and again when it is committed. In between,
   * the parent must still be what it was.
   * @returns its name
   */
  async layer(edit: Edit): Promise<string> {
    const name = `layer-${this.#names.length + 1}`;
    const key = `${name}.key`;
    const active = await this.#trial.driver.prepare(key, this.top);
    await this.#trial.edit(active, async (at) => {
      const edited = async (tree: string) => {
        await edit(tree);
        // Whole seconds: a driver that rounds times shows it where times are the point.
        settleTimes(tree, this.#names.length, 0);
      };
      if (this.top !== undefined) await sameTree(at, this.plain);
      await edited(at);
      // The plain directory still is what the parent was.
      if (this.top !== undefined) await this.matches(this.top);
      await edited(this.plain);
      await sameTree(at, this.plain);
    });
    await active.commit(name);
    this.#names.push(name);
    await this.matches(name);
    return name;
  }

  /**
   * As {@link layer}, of an edit that a driver may refuse with one of `codes`: it then must not have done half of it.
   * @returns whether it was refused
   */
  async layerUnlessRefused(codes: readonly string[], edit: (at: string) => void): Promise<boolean> {
    let refused = false;
    await this.layer((at) => {
      if (refused) return;
      try {
        edit(at);
      } catch (error) {
        if (at === this.plain || !codes.includes(errnoCode(error) ?? "")) throw error;
        refused = true;
      }
    });
    return refused;
  }

  /** That a snapshot's tree is what the plain directory is now, or a copy of it was. */
  async matches(id: string, plain = this.plain): Promise<void> {
    await this.#trial.look(id, (at) => sameTree(at, plain));
  }

  /** A copy of the plain directory as it is now. */
  copy(name: string): string {
    const path = this.#trial.path(name);
    execFileSync("cp", ["-a", this.plain, path]);
    return path;
  }
}

/** That two trees are equal entry by entry; if not, the error lists the differences. */
export async function sameTree(a: string, b: string, options: CompareTreesOptions = {}): Promise<void> {
  const differences: string[] = [];
  for await (const { path, what } of compareTrees(a, b, options)) {
    differences.push(`/${path.toString("latin1")}: ${what}`);
    if (differences.length === 20) break;
  }
  assert.equal(differences.length, 0, `the trees differ:\n  ${differences.join("\n  ")}`);
}
