import { setMaxListeners } from "node:events";
import { type Digest, StrataError } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { Download, type DownloadOptions } from "./download.ts";
import type { RemoteBlob } from "./layer-input.ts";
import type { Staging } from "./staging.ts";

/** As docker has it. */
const defaultAtOnce = 3;

/** The blobs of one receive, some at the same time, each once. The first that fails stops the others. */
export class Downloads implements AsyncDisposable {
  /** The caller's, or what went wrong with a download. */
  readonly signal: AbortSignal;
  readonly #root: string;
  readonly #staging: Staging;
  readonly #atOnce: number;
  readonly #stop = new AbortController();
  readonly #downloads = new Map<Digest, Download>();
  #running: Promise<unknown> = Promise.resolve();

  /** @throws TypeError, if `atOnce` is not a positive whole number */
  constructor({ root }: StoreContext, staging: Staging, signal?: AbortSignal, atOnce = defaultAtOnce) {
    if (!Number.isInteger(atOnce) || atOnce < 1)
      throw new TypeError(`downloads must be at least 1, not ${atOnce}`);
    this.#root = root;
    this.#staging = staging;
    this.#atOnce = atOnce;
    this.signal = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal;
    setMaxListeners(0, this.signal);
    this.signal.addEventListener("abort", () => this.#fail(), { once: true });
  }

  /** The download of a blob, which begins in its turn. */
  add(blob: RemoteBlob, what: string, onBytes: DownloadOptions["onBytes"]): Download {
    const known = this.#downloads.get(blob.digest);
    if (known) return known;
    const download = new Download(blob, {
      root: this.#root,
      staging: this.#staging,
      what,
      signal: this.signal,
      onError: (error) => this.#stop.abort(error),
      onBytes,
    });
    this.#downloads.set(blob.digest, download);
    return download;
  }

  /** Begin, in the order in which they were added. */
  start(): void {
    // What was aborted before there was any download has told none of them.
    if (this.signal.aborted) this.#fail();
    const queue = [...this.#downloads.values()];
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next && !this.signal.aborted; next = queue.shift()) await next.run();
    };
    this.#running = Promise.all(Array.from({ length: this.#atOnce }, work));
  }

  #fail(): void {
    for (const download of this.#downloads.values()) download.fail(this.signal.reason);
  }

  /** Stop what still comes. What has come stays, for the next time. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new StrataError("Aborted", "the download was stopped: nobody waits for it any more"));
    await this.#running;
    for (const download of this.#downloads.values()) await download.settled();
  }
}
