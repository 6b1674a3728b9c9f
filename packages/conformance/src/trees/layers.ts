import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import type { ActiveSnapshot, LayerLayout, OverlayLayout } from "@strata/core";
import { type AppliedLayer, type ApplyOptions, LayerWorkers, settleLayer } from "@strata/layer";
import { tar } from "../tar/encode.ts";
import type { BuiltEntry } from "../tar/entries.ts";
import type { Trial } from "../trial.ts";

/** A layer's archive; one that depends on where it is written is made of that directory. */
export type Layer = Buffer | readonly BuiltEntry[] | ((dir: string) => Buffer | readonly BuiltEntry[]);

export type LayerOptions = Omit<ApplyOptions, "source" | "layout">;

/** How the layers of a chain come in: each on top of the one before, or all at once and chained afterwards. */
export type Way = "in order" | "side by side";

/**
 * The thread of all behaviours that need one only: to start one takes longer than most of them. Idle, it keeps no
 * process alive.
 */
const shared = new LayerWorkers({ threads: 1 });

/** Applies layers to a driver's snapshots as a store does. Disposed, its threads have ended. */
export class Layers implements AsyncDisposable {
  readonly #trial: Trial;
  readonly #workers: LayerWorkers;
  /** Keys and names of all snapshots made, parents before children. */
  readonly #ids = new Set<string>();
  #count = 0;

  /** @param threads - if more than one, they are its own, which take a while to start */
  constructor(trial: Trial, threads = 1) {
    this.#trial = trial;
    this.#workers = threads === 1 ? shared : new LayerWorkers({ threads });
    mkdirSync(trial.path("archives"), { recursive: true });
  }

  /** All ways that the driver has. */
  get ways(): readonly Way[] {
    return this.#trial.driver.capabilities.rebase.supported ? ["in order", "side by side"] : ["in order"];
  }

  /** Commit one layer on top of `parent`. */
  async commit(
    name: string,
    layer: Layer,
    parent?: string,
    options: LayerOptions = {},
  ): Promise<AppliedLayer> {
    const active = await this.prepare(parent);
    const applied = await this.apply(active, layer, options);
    await this.#commit(active, name, parent);
    return applied;
  }

  /** Commit a chain of layers, bottom first. @returns the name of the topmost */
  async chain(layers: readonly Layer[], way: Way = "in order", options: LayerOptions = {}): Promise<string> {
    const prefix = `chain-${++this.#count}`;
    if (way === "side by side") return await this.#sideBySide(layers, prefix, options);
    let top: string | undefined;
    for (const [index, layer] of layers.entries()) {
      const name = `${prefix}.${index}`;
      await this.commit(name, layer, top, options);
      top = name;
    }
    assert(top !== undefined, "a chain has a layer");
    return top;
  }

  /** A new active snapshot, for {@link apply}. */
  async prepare(parent?: string): Promise<ActiveSnapshot> {
    const key = `layer-${++this.#count}.key`;
    const active = await this.#trial.driver.prepare(key, parent);
    this.#ids.add(key);
    return active;
  }

  /** Apply a layer to a snapshot just prepared. */
  async apply(active: ActiveSnapshot, layer: Layer, options: LayerOptions = {}): Promise<AppliedLayer> {
    return await this.applyAt(active.layout(), layer, options);
  }

  /** Apply a layer to any layout. */
  async applyAt(layout: LayerLayout, layer: Layer, options: LayerOptions = {}): Promise<AppliedLayer> {
    const bytes = typeof layer === "function" ? layer(layout.dir) : layer;
    const path = this.#trial.path("archives", `${++this.#count}.tar`);
    writeFileSync(path, Buffer.isBuffer(bytes) ? bytes : tar(...bytes));
    const ignoreOwnership = !this.#trial.driver.capabilities.ownership.supported;
    return await this.#workers.apply({ source: { path }, layout, ignoreOwnership, ...options });
  }

  /** Remove all snapshots that were made, also those of layers that were refused, and have their bytes reclaimed. */
  async removeAll(): Promise<void> {
    const { driver } = this.#trial;
    for (const id of [...this.#ids].reverse()) await driver.remove(id);
    this.#ids.clear();
    await driver.cleanup();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#workers !== shared) await this.#workers.close();
  }

  async #sideBySide(layers: readonly Layer[], prefix: string, options: LayerOptions): Promise<string> {
    const prepared = [];
    for (const layer of layers) prepared.push({ layer, active: await this.prepare() });
    const outcomes = await Promise.allSettled(
      prepared.map(({ layer, active }) => this.apply(active, layer, { ...options, lowersLater: true })),
    );
    let lowers: readonly string[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === "rejected") throw outcome.reason;
      const { dir } = overlayOf(prepared[index]?.active);
      settleLayer({ format: "overlay", dir, lowers }, outcome.value.unresolved);
      lowers = [dir, ...lowers];
    }
    let top: string | undefined;
    for (const [index, { active }] of prepared.entries()) {
      const name = `${prefix}.${index}`;
      await this.#commit(active, name, top);
      top = name;
    }
    assert(top !== undefined, "a chain has a layer");
    return top;
  }

  async #commit(active: ActiveSnapshot, name: string, parent: string | undefined): Promise<void> {
    await active.commit(name, { ...(parent !== undefined && { parent }) });
    this.#ids.delete(active.id);
    this.#ids.add(name);
  }
}

function overlayOf(active: ActiveSnapshot | undefined): OverlayLayout {
  const layout = active?.layout();
  assert(layout?.format === "overlay", "a driver that can rebase has overlay layouts");
  return layout;
}
