import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { StrataError } from "../errors.ts";
import type { DirectoryPair } from "./copy-entry.ts";
import { type Batch, type BatchReply, type HelperData, joinNames, splitNames } from "./helper-messages.ts";

/** How many threads may still be started by the copies of this process: with their own, one a CPU, up to 4. */
let startable = Math.min(availableParallelism(), 4) - 1;

/** A message carries about this many names: some milliseconds of copying. */
const batchNames = 128;

/** A helper has so many names before it that it does not run out of them while others have their turn. */
const aheadNames = 8 * batchNames;

/** Some entries of a directory. */
export interface Part<Directory> {
  readonly directory: Directory;
  readonly names: readonly Buffer[];
}

interface Helper<Directory> {
  readonly worker: Worker;
  /** Not before its program has been loaded. */
  isReady: boolean;
  /** What it has not replied to, the first first. */
  readonly batches: (readonly Part<Directory>[])[];
  /** How many names are in these. */
  ahead: number;
}

/**
 * Threads that copy entries, beside the thread that walks through the tree and copies as well.
 *
 * Nothing fails in a helper: what it does not copy comes back. So all that needs to know the whole tree (hardlinks,
 * mounts, errors) is in one place.
 */
export class CopyHelpers<Directory extends DirectoryPair> {
  readonly #helpers = new Set<Helper<Directory>>();
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  #collected: Part<Directory>[] = [];
  #returned: Part<Directory>[] = [];
  #failure: StrataError | undefined;
  #wake = () => {};

  /** Start as many as are allowed, which may be none. It takes them some ten milliseconds to be of use. */
  start(): void {
    try {
      while (startable > 0) this.#startOne();
    } catch {
      // The system allows no further threads. It goes without.
    }
  }

  /** Whether one of them will soon have nothing to do. */
  get wanting(): boolean {
    for (const { isReady, ahead } of this.#helpers) if (isReady && ahead < aheadNames) return true;
    return false;
  }

  /** Let some entries of a directory be copied. It must stay open until they come back by {@link takeReturned}. */
  give(part: Part<Directory>): void {
    this.#collected.push(part);
    if (this.#collected.reduce((sum, { names }) => sum + names.length, 0) >= batchNames) this.#send();
  }

  /** Whether there is something to be taken. */
  get hasReturned(): boolean {
    return this.#returned.length > 0 || this.#failure !== undefined;
  }

  /** What was given and is done with, each part with the names that are still to be copied, which are mostly none. */
  takeReturned(): readonly Part<Directory>[] {
    if (this.#failure !== undefined) throw this.#failure;
    const returned = this.#returned;
    this.#returned = [];
    return returned;
  }

  /** Wait until something can be taken, but not for what will never come. */
  async returned(): Promise<void> {
    this.#send();
    while (!this.hasReturned && this.#isBusy) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** See to it that nothing more is begun, and what is being copied comes back soon. */
  interrupt(): void {
    Atomics.store(this.#stop, 0, 1);
  }

  /** End the threads. Nothing is being copied any more then. */
  async stop(): Promise<void> {
    this.interrupt();
    this.#collected = [];
    // A thread that is terminated would leave files open.
    while (this.#isBusy) {
      this.#returned = [];
      this.#failure = undefined;
      await this.returned();
    }
    await Promise.all([...this.#helpers].map(({ worker }) => worker.terminate()));
  }

  get #isBusy(): boolean {
    for (const { ahead } of this.#helpers) if (ahead > 0) return true;
    return false;
  }

  #startOne(): void {
    const workerData: HelperData = { stop: this.#stop };
    const worker = new Worker(new URL("./helper-thread.js", import.meta.url), {
      name: "strata-copy",
      workerData,
      // Flags of the process are not for the thread: with --input-type, for one, it would not start.
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    startable--;
    const helper: Helper<Directory> = { worker, isReady: false, batches: [], ahead: 0 };
    this.#helpers.add(helper);
    worker.on("message", (reply: BatchReply) => this.#takeReply(helper, reply));
    worker.on("error", (cause) => {
      const message = "a thread that copied files ended; try again";
      if (helper.ahead > 0) this.#failure = new StrataError("Aborted", message, { cause });
    });
    worker.on("exit", () => {
      startable++;
      this.#helpers.delete(helper);
      this.#wake();
    });
  }

  #send(): void {
    const parts = this.#collected;
    if (parts.length === 0) return;
    this.#collected = [];
    const ready = [...this.#helpers].filter(({ isReady }) => isReady);
    const [helper] = ready.sort((a, b) => a.ahead - b.ahead);
    if (helper === undefined) {
      this.#returned.push(...parts);
      return;
    }
    helper.batches.push(parts);
    helper.ahead += countNames(parts);
    const batch: Batch = {
      parts: parts.map(({ directory: { source, copy }, names }) => ({
        source,
        copy,
        names: joinNames(names),
      })),
    };
    helper.worker.postMessage(batch);
  }

  #takeReply(helper: Helper<Directory>, { left }: BatchReply): void {
    helper.isReady = true;
    const parts = helper.batches.shift() ?? [];
    helper.ahead -= countNames(parts);
    for (const [index, { directory }] of parts.entries()) {
      this.#returned.push({ directory, names: splitNames(left[index] ?? "") });
    }
    this.#wake();
  }
}

function countNames(parts: readonly Part<unknown>[]): number {
  return parts.reduce((sum, { names }) => sum + names.length, 0);
}
