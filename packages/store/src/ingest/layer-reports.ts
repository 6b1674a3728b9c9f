import { digestHex } from "@strata/core";
import type { LayerStatus, OnProgress } from "../progress.ts";
import type { LayerPlan } from "./layer-input.ts";

const arrivedEveryMs = 50;

/** Says of each layer what is being done about it. */
export class LayerReports {
  readonly #onProgress: OnProgress | undefined;
  /** Those that are downloading, each with the time of the latest report. */
  readonly #arriving = new Map<LayerPlan, number>();

  constructor(onProgress: OnProgress | undefined) {
    this.#onProgress = onProgress;
  }

  say({ diffId, input }: LayerPlan, status: LayerStatus, bytes: number): void {
    const totalBytes = input.size ?? input.source?.length;
    this.#onProgress?.({
      kind: "layer",
      diffId,
      label: digestHex(input.remote?.digest ?? diffId).slice(0, 12),
      status,
      bytes,
      ...(totalBytes !== undefined && { totalBytes }),
    });
  }

  /** So many bytes of a layer have been downloaded. */
  arrived(plan: LayerPlan, bytes: number, totalBytes: number): void {
    const now = performance.now();
    if (bytes === totalBytes) {
      this.#arriving.delete(plan);
      this.say(plan, "downloaded", bytes);
    } else if (now - (this.#arriving.get(plan) ?? -Infinity) >= arrivedEveryMs) {
      // That it has begun does not keep the first bytes from being told.
      this.#arriving.set(plan, bytes === 0 ? -Infinity : now);
      this.say(plan, "downloading", bytes);
    }
  }

  /** So many bytes of a layer have been read. Of one that is downloading, that says less than what has arrived. */
  read(plan: LayerPlan, bytes: number): void {
    if (!this.#arriving.has(plan)) this.say(plan, plan.input.remote ? "unpacking" : "loading", bytes);
  }
}
