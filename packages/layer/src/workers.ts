import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type LayerLayout, StrataError } from "@strata/core";
import type { ApplyJob } from "./apply/apply-layer.ts";
import type { AppliedLayer, ApplyOptions } from "./apply/options.ts";
import { type JobMessage, type ReplyMessage, unpackError } from "./thread-messages.ts";

export interface LayerWorkersOptions {
  /** How many layers are applied at the same time, each by a thread. @defaultValue the number of CPUs, at most 4 */
  readonly threads?: number;
}

/**
 * A pool of threads that apply layers. Jobs beyond the number of threads wait, and begin in the order they came.
 *
 * A thread is started when a job first needs it, and kept for the next; one that has nothing to do does not keep the
 * process alive. Memory: 25 MiB a thread for plain tar and up to 70 MiB for gzip, whatever the layer's size.
 */
export class LayerWorkers implements AsyncDisposable {
  readonly #threads: number;
  readonly #idle: Worker[] = [];
  readonly #waiting: Job[] = [];
  readonly #running = new Map<Job, Promise<void>>();
  #closed = false;

  /** @throws TypeError, if `threads` is not a positive whole number */
  constructor({ threads = Math.min(availableParallelism(), 4) }: LayerWorkersOptions = {}) {
    if (!Number.isInteger(threads) || threads < 1)
      throw new TypeError(`threads must be at least 1, not ${threads}`);
    this.#threads = threads;
  }

  /**
   * Unpack a layer's archive into a snapshot, in one pass over the source, verifying digests on the way. Whatever the
   * archive holds, nothing outside `layout.dir` is touched. After an error or abort, nothing is being written any more,
   * but what was written stays: remove the snapshot.
   *
   * Cost: proportional to the layer. Nothing is made durable.
   * @throws StrataError `Corrupt`, if a digest, the size or a checksum of the compression is wrong, or the compressed
   *   data are truncated
   * @throws StrataError `InvalidArgument`, if it is not a tar archive or a truncated one, if an entry is refused (a path
   *   that leads out, a link to nothing, ...), or beyond `limits`; the message says which
   * @throws StrataError `FailedPrecondition`, if the snapshot holds files already
   * @throws StrataError `Unsupported`, if what the layer holds cannot be made here: owners and devices without root,
   *   extended attributes that the file system has not
   * @throws StrataError `NoSpace`
   * @throws the signal's reason
   */
  async apply(options: ApplyOptions): Promise<AppliedLayer> {
    if (this.#closed) throw closedError();
    options.signal?.throwIfAborted();
    return await new Promise((resolve, reject) => {
      this.#waiting.push(new Job(options, resolve, reject));
      this.#next();
    });
  }

  /** Stop the threads. Jobs that are not done fail with `Aborted`. Closing twice is fine. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#waiting.splice(0)) job.fail(closedError());
    for (const job of this.#running.keys()) job.abort(closedError());
    await Promise.all(this.#running.values());
    await Promise.all(this.#idle.splice(0).map((worker) => worker.terminate()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #next(): void {
    while (this.#running.size < this.#threads) {
      const job = this.#waiting.shift();
      if (job === undefined) return;
      if (job.isDone) continue;
      const done = this.#run(job).finally(() => {
        this.#running.delete(job);
        this.#next();
      });
      this.#running.set(job, done);
    }
  }

  async #run(job: Job): Promise<void> {
    const worker = this.#idle.pop() ?? startThread();
    worker.ref();
    const reusable = await job.runOn(worker);
    worker.unref();
    if (reusable) this.#idle.push(worker);
    else await worker.terminate();
  }
}

class Job {
  readonly #options: ApplyOptions;
  readonly #resolve: (layer: AppliedLayer) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #abort = new Int32Array(new SharedArrayBuffer(4));
  readonly #onAbort = () => this.abort(this.#options.signal?.reason);
  #reason: unknown;
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
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Stop it: at once, if it has not begun, else as soon as the thread notices. */
  abort(reason: unknown): void {
    this.#reason = reason;
    Atomics.store(this.#abort, 0, 1);
    if (!this.#running) this.fail(reason);
  }

  fail(reason: unknown): void {
    this.#finish();
    this.#reject(reason);
  }

  /** @returns whether the thread can take another job */
  async runOn(worker: Worker): Promise<boolean> {
    this.#running = true;
    const { signal: _, onProgress, layout, ...rest } = this.#options;
    const job: ApplyJob = { ...rest, layout: withoutFunctions(layout) };
    return await new Promise((resolve) => {
      const end = (reusable: boolean, settle: () => void) => {
        worker.off("message", onMessage);
        worker.off("error", onError);
        worker.off("exit", onExit);
        settle();
        resolve(reusable);
      };
      const onMessage = (reply: ReplyMessage) => {
        if (reply.kind === "progress") onProgress?.(reply.bytesRead);
        else end(true, () => this.#settle(reply));
      };
      const onError = (error: unknown) => end(false, () => this.fail(error));
      const onExit = (code: number) => end(false, () => this.fail(exitError(code)));
      worker.on("message", onMessage);
      worker.on("error", onError);
      worker.on("exit", onExit);
      worker.postMessage({ job, abort: this.#abort } satisfies JobMessage);
    });
  }

  #settle(reply: Exclude<ReplyMessage, { kind: "progress" }>): void {
    if (Atomics.load(this.#abort, 0) !== 0) {
      this.fail(this.#reason);
    } else if (reply.kind === "done") {
      this.#finish();
      this.#resolve(reply.layer);
    } else {
      this.fail(reply.kind === "failed" ? unpackError(reply.error) : exitError(0));
    }
  }

  #finish(): void {
    this.isDone = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }
}

function startThread(): Worker {
  const worker = new Worker(new URL("./thread.js", import.meta.url), {
    name: "strata-layer",
    // Flags of the process are not for the thread: with --input-type, for one, it would not start.
    execArgv: [],
    // What a layer leaves behind on the heap is soon garbage, and each piece of it holds a megabyte outside of the
    // heap: collected often, it is not there twice.
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  worker.unref();
  return worker;
}

/** A layout as it can be sent; apply has no use for the driver's `touched`. */
function withoutFunctions(layout: LayerLayout): LayerLayout {
  if (layout.format === "overlay") return layout;
  const { format, dir, base } = layout;
  return { format, dir, ...(base !== undefined && { base }) };
}

function closedError(): StrataError {
  return new StrataError("Aborted", "cannot apply the layer: the workers were closed; make new ones");
}

function exitError(code: number): StrataError {
  return new StrataError("Aborted", `the thread that applied the layer ended (exit code ${code}); try again`);
}
