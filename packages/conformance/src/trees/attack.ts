import assert from "node:assert/strict";
import { relative } from "node:path";
import { type ErrorCode, isStrataError } from "@strata/core";
import type { Behaviour } from "../behaviour.ts";
import type { BuiltEntry } from "../tar/entries.ts";
import type { Trial } from "../trial.ts";
import { describeTree } from "./describe-tree.ts";
import { rootFootprint } from "./footprint.ts";
import { type LayerOptions, Layers } from "./layers.ts";
import { Victim } from "./victim.ts";

/** Where an attack aims. */
export interface Aim {
  /** The victim's absolute path. */
  readonly victim: string;
  /** The victim's path from the root of the tree that the layer is written to: it begins with `..`. */
  readonly up: string;
}

/** A hostile layer. */
export type HostileLayer = Buffer | readonly BuiltEntry[] | ((aim: Aim) => Buffer | readonly BuiltEntry[]);

/** A behaviour but for what it does. Its title is what is tried; how that ends is added to it. */
type Described = Pick<Behaviour, "id" | "title" | "origin" | "needs">;

/**
 * A behaviour: layers, bottom first, that may do what they like inside of the tree, and do nothing outside of it,
 * neither when they are applied nor when they are looked at.
 */
export function contained(described: Described, ...layers: readonly HostileLayer[]): Behaviour {
  return {
    ...described,
    title: `${described.title}: what is outside stays as it was`,
    async run(trial) {
      await using attack = new Attack(trial);
      for (const way of attack.layers.ways) {
        const top = await attack.layers.chain(attack.armed(layers), way);
        await trial.look(top, (at) => describeTree(at));
        attack.victim.assertUntouched();
      }
    },
  };
}

export interface Refusal extends LayerOptions {
  /** @defaultValue `InvalidArgument` */
  readonly code?: ErrorCode;
  /** What the error says. */
  readonly message: RegExp;
}

/** A behaviour: layers of which the last is refused. Nothing outside is touched, and nothing is left once it is removed. */
export function refused(
  described: Described,
  refusal: Refusal,
  ...layers: readonly HostileLayer[]
): Behaviour {
  return {
    ...described,
    title: `${described.title} is refused, and nothing is left of it`,
    run: (trial) => refuses(trial, refusal, layers),
  };
}

/** That a driver's layers are refused, see {@link refused}. */
export async function refuses(
  trial: Trial,
  { code = "InvalidArgument", message, ...options }: Refusal,
  layers: readonly HostileLayer[],
): Promise<void> {
  await using attack = new Attack(trial);
  const before = await rootFootprint(trial);
  for (const way of attack.layers.ways) {
    const error = await errorOf(attack.layers.chain(attack.armed(layers), way, options));
    assert(isStrataError(error), `applied ${way}: expected a StrataError ${code}, not ${String(error)}`);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message, `applied ${way}`);
    await attack.layers.removeAll();
    assert.deepEqual(await rootFootprint(trial), before, `what is left when it is removed, applied ${way}`);
    attack.victim.assertUntouched();
  }
}

/** A victim, and what applies layers that aim at it. */
class Attack implements AsyncDisposable {
  readonly layers: Layers;
  readonly victim: Victim;

  constructor(trial: Trial) {
    this.layers = new Layers(trial);
    this.victim = new Victim(trial);
  }

  armed(layers: readonly HostileLayer[]) {
    const victim = this.victim.path;
    return layers.map((layer) =>
      typeof layer === "function" ? (dir: string) => layer({ victim, up: relative(dir, victim) }) : layer,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.layers[Symbol.asyncDispose]();
  }
}

async function errorOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  return assert.fail("it was applied, but should have been refused");
}
