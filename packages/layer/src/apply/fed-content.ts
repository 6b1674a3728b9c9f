import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Digest } from "@strata/core";
import type { Compression } from "../compression.ts";
import { unpackError } from "../thread-messages.ts";
import type { Feed, FeedMessage } from "./feed-layer.ts";
import { JobAborted } from "./job.ts";
import type { LayerContent } from "./layer-content.ts";
import { RingConsumer } from "./ring.ts";

/** A layer's blob, read, hashed, kept and inflated by another thread. */
export class FedContent implements LayerContent {
  readonly size: number;
  readonly compression: Compression;
  readonly #ring: RingConsumer;
  readonly #port: MessagePort;
  #outcome: Exclude<FeedMessage, { kind: "opened" }> | undefined;

  /**
   * Wait until the other thread has opened it.
   * @param checkAbort - what it throws ends every wait
   * @throws what opening it throws there
   */
  constructor({ ring, port }: Feed, checkAbort: () => void) {
    this.#ring = new RingConsumer(ring, checkAbort);
    this.#port = port;
    const message = this.#receive();
    if (message.kind !== "opened") throw failure(message);
    this.size = message.size;
    this.compression = message.compression;
  }

  *chunks(): Generator<Buffer> {
    yield* this.#ring.chunks();
    const outcome = this.#end();
    if (outcome.kind !== "ended") throw failure(outcome);
  }

  diffId(): Digest {
    const outcome = this.#end();
    if (outcome.kind !== "ended") throw failure(outcome);
    return outcome.diffId;
  }

  blob(): Digest {
    if (this.#outcome === undefined) this.#ring.readOn();
    const outcome = this.#end();
    if (outcome.kind === "aborted" || outcome.blob === undefined) throw failure(outcome);
    return outcome.blob;
  }

  close(): void {
    this.#port.close();
  }

  #end(): Exclude<FeedMessage, { kind: "opened" }> {
    if (this.#outcome !== undefined) return this.#outcome;
    const message = this.#receive();
    if (message.kind === "opened") throw new TypeError("a blob is opened once");
    this.#outcome = message;
    return message;
  }

  #receive(): FeedMessage {
    return this.#ring.wait(() => receiveMessageOnPort(this.#port)?.message);
  }
}

function failure(message: FeedMessage): Error {
  return message.kind === "failed" ? unpackError(message.error) : new JobAborted();
}
