import { digestHex } from "@strata/core";
import type { Descriptor } from "@strata/store";
import type { PushOptions, PushStatus } from "./push.ts";

const sentEveryMs = 50;

/** Says what is being done about one layer. */
export class PushReport {
  readonly #layer: Pick<Descriptor, "digest" | "size">;
  readonly #onProgress: PushOptions["onProgress"];
  #saidAt = -Infinity;

  constructor(layer: Pick<Descriptor, "digest" | "size">, onProgress: PushOptions["onProgress"]) {
    this.#layer = layer;
    this.#onProgress = onProgress;
    this.#say("preparing", 0);
  }

  /** The registry has so many bytes, or they are on their way. */
  sent(bytes: number): void {
    const now = performance.now();
    if (now - this.#saidAt < sentEveryMs) return;
    // That it has begun does not keep the first bytes from being told.
    this.#saidAt = bytes === 0 ? -Infinity : now;
    this.#say("pushing", bytes);
  }

  /** @param from - the repository that it was mounted from */
  done(status: "pushed" | "exists" | "mounted", from?: string): void {
    this.#say(status, this.#layer.size, from);
  }

  skipped(): void {
    this.#say("skipped", 0);
  }

  #say(status: PushStatus, bytes: number, from?: string): void {
    const { digest, size } = this.#layer;
    this.#onProgress?.({
      digest,
      label: digestHex(digest).slice(0, 12),
      status,
      bytes,
      totalBytes: size,
      ...(from !== undefined && { from }),
    });
  }
}
