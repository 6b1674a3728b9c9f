import { availableParallelism } from "node:os";
import { StrataError } from "@strata/core";
import type { AppliedLayer, ApplyOptions } from "./apply/options.ts";
import { newRing, type RingMemory } from "./apply/ring.ts";
import { ApplyTask, type LayerThreads } from "./apply-task.ts";
import { Threads } from "./threads.ts";

export interface LayerWorkersOptions {
  /**
   * How many layers are applied at the same time, each by a thread; for every two CPUs, a large one has a second thread
   * to itself. @defaultValue the number of CPUs, at most 4
   */
  readonly threads?: number;
}

/** Bytes in the source. Below, a second thread takes more to start than it brings. */
const minSplitBytes = 16 * 2 ** 20;

/**
 * A pool of threads that apply layers. Jobs beyond the number of threads wait, and begin in the order they came.
 *
 * A thread is started when a job first needs it, and kept for the next; one that has nothing to do does not keep the
 * process alive. Memory: 25 MiB a thread for plain tar and up to 70 MiB for gzip, whatever the layer's size; a second
 * thread to a layer takes up to 30 MiB more.
 */
export class LayerWorkers implements AsyncDisposable {
  readonly #threads: number;
  readonly #pool: LayerThreads = {
    applying: new Threads(new URL("./thread.js", import.meta.url)),
    feeding: new Threads(new URL("./feeding-thread.js", import.meta.url)),
  };
  /** For layers that two threads share; those not in use. */
  readonly #rings: RingMemory[] = [];
  #ringsMade = 0;
  readonly #waiting: ApplyTask[] = [];
  readonly #running = new Map<ApplyTask, Promise<void>>();
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
      this.#waiting.push(new ApplyTask(options, resolve, reject));
      this.#next();
    });
  }

  /** Stop the threads. Jobs that are not done fail with `Aborted`. Closing twice is fine. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const task of this.#waiting.splice(0)) task.fail(closedError());
    for (const task of this.#running.keys()) task.abort(closedError());
    await Promise.all(this.#running.values());
    await Promise.all([this.#pool.applying.close(), this.#pool.feeding.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #next(): void {
    while (this.#running.size < this.#threads) {
      const task = this.#waiting.shift();
      if (task === undefined) return;
      if (task.isDone) continue;
      const done = this.#run(task).finally(() => {
        this.#running.delete(task);
        this.#next();
      });
      this.#running.set(task, done);
    }
  }

  async #run(task: ApplyTask): Promise<void> {
    const ring = task.size < minSplitBytes ? undefined : this.#takeRing();
    await task.runOn(this.#pool, ring);
    if (ring !== undefined) this.#rings.push(ring);
  }

  /** One that is free; more than one for two CPUs would only take memory. */
  #takeRing(): RingMemory | undefined {
    const ring = this.#rings.pop();
    if (ring !== undefined || this.#ringsMade >= Math.floor(availableParallelism() / 2)) return ring;
    this.#ringsMade += 1;
    return newRing();
  }
}

function closedError(): StrataError {
  return new StrataError("Aborted", "cannot apply the layer: the workers were closed; make new ones");
}
