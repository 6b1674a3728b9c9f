import { statSync } from "node:fs";
import { MessageChannel } from "node:worker_threads";
import type { LayerLayout } from "@strata/core";
import type { ApplyJob } from "./apply/job.ts";
import type { AppliedLayer, ApplyOptions } from "./apply/options.ts";
import { type RingMemory, resetRing, stopRing, wakeRing } from "./apply/ring.ts";
import { ArrivingBytes } from "./arriving-bytes.ts";
import { type ApplyReply, type FeedReply, type JobMessage, unpackError } from "./thread-messages.ts";
import type { Threads } from "./threads.ts";

/** The threads of a pool, by what they do. */
export interface LayerThreads {
  readonly applying: Threads<JobMessage, ApplyReply>;
  readonly feeding: Threads<JobMessage, FeedReply>;
}

/** A layer to apply: waiting, then running, then done. */
export class ApplyTask {
  readonly #options: ApplyOptions;
  readonly #resolve: (layer: AppliedLayer) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #abort = new Int32Array(new SharedArrayBuffer(4));
  readonly #onAbort = () => this.abort(this.#options.signal?.reason);
  #reason: unknown;
  #ring: RingMemory | undefined;
  readonly #arriving: ArrivingBytes | undefined;
  #running = false;
  isDone = false;

  constructor(
    options: ApplyOptions,
    resolve: (layer: AppliedLayer) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    const { arriving } = options.source;
    this.#arriving = arriving && new ArrivingBytes(arriving);
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Bytes in the source; 0 if there is no telling, which its thread will find out. */
  get size(): number {
    const { source, expected } = this.#options;
    const known = source.length ?? expected?.blobSize;
    if (known !== undefined) return known;
    try {
      return statSync(source.path).size - (source.offset ?? 0);
    } catch {
      return 0;
    }
  }

  /** Stop it: at once, if it has not begun, else as soon as its threads notice. The first reason counts. */
  abort(reason: unknown): void {
    if (this.#isAborted || this.isDone) return;
    this.#reason = reason;
    Atomics.store(this.#abort, 0, 1);
    if (this.#ring) wakeRing(this.#ring);
    this.#arriving?.wake();
    if (!this.#running) this.fail(reason);
  }

  fail(reason: unknown): void {
    this.#finish();
    this.#reject(reason);
  }

  /** Run it in one thread, or with a ring in two. When this returns, neither works on it any more. */
  async runOn(threads: LayerThreads, ring?: RingMemory): Promise<void> {
    this.#running = true;
    this.#ring = ring;
    const reply = await (ring ? this.#applyFed(threads, ring) : this.#apply(threads, {}));
    if (reply === undefined || this.#isAborted) {
      this.fail(this.#reason);
    } else if (reply.kind === "done") {
      this.#finish();
      this.#resolve(reply.layer);
    } else {
      this.fail(reply.kind === "failed" ? unpackError(reply.error) : new TypeError("nobody aborted the job"));
    }
  }

  async #applyFed(threads: LayerThreads, ring: RingMemory): Promise<ApplyReply | undefined> {
    resetRing(ring);
    const { port1, port2 } = new MessageChannel();
    const [reply] = await Promise.all([
      // However it ends: what is not taken by now, nobody will take.
      this.#apply(threads, { feed: { ring, port: port1 } }).finally(() => {
        stopRing(ring);
        this.#arriving?.wake();
      }),
      this.#alive(
        threads.feeding.run(this.#message({ feed: { ring, port: port2 } }), [port2], this.#onProgress),
      ),
    ]);
    return reply;
  }

  #apply(threads: LayerThreads, more: Pick<JobMessage, "feed">): Promise<ApplyReply | undefined> {
    const transfer = more.feed ? [more.feed.port] : [];
    return this.#alive(threads.applying.run(this.#message(more), transfer, this.#onProgress));
  }

  /** When a thread dies, the other one must not wait for it. */
  async #alive<Reply>(reply: Promise<Reply>): Promise<Reply | undefined> {
    try {
      return await reply;
    } catch (error) {
      this.abort(error);
      return undefined;
    }
  }

  #message(more: Pick<JobMessage, "feed">): JobMessage {
    const { signal: _, onProgress: __, layout, ...rest } = this.#options;
    const job: ApplyJob = { ...rest, layout: withoutFunctions(layout) };
    return { job, abort: this.#abort, ...more };
  }

  readonly #onProgress = (bytesRead: number): void => this.#options.onProgress?.(bytesRead);

  get #isAborted(): boolean {
    return Atomics.load(this.#abort, 0) !== 0;
  }

  #finish(): void {
    this.isDone = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }
}

/** A layout as it can be sent; apply has no use for the driver's `touched`. */
function withoutFunctions(layout: LayerLayout): LayerLayout {
  if (layout.format === "overlay") return layout;
  const { format, dir, base } = layout;
  return { format, dir, ...(base !== undefined && { base }) };
}
