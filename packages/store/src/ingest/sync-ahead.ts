import type { StoreContext } from "../content/context.ts";

/** What a sync is worth while more is to come: bytes of blobs, which are about three times as many when unpacked. */
const bytesASync = 64 * 2 ** 20;

/** Whether what is unpacked is to be durable, and where. */
export type SyncAheadContext = Pick<StoreContext, "driver" | "durable">;

/**
 * Has the disk write while layers are being unpacked, so that the sync that makes them durable finds little left to do.
 * It stands in for nothing: what it does is done once more in the end.
 */
export class SyncAhead implements AsyncDisposable {
  readonly #context: SyncAheadContext;
  /** Unpacked since the latest sync began. */
  #bytes = 0;
  #running: Promise<void> | undefined;
  #failed: { readonly error: unknown } | undefined;

  constructor(context: SyncAheadContext) {
    this.#context = context;
  }

  /**
   * For a layer that is unpacked. @returns what is to be told how many bytes of its blob were read so far; it begins a
   * sync, if that is worth it and none is on its way
   */
  layer(): (bytesRead: number) => void {
    let seen = 0;
    return (bytesRead) => {
      this.#unpacked(bytesRead - seen);
      seen = bytesRead;
    };
  }

  #unpacked(bytes: number): void {
    this.#bytes += bytes;
    if (!this.#context.durable || this.#bytes < bytesASync || this.#running || this.#failed) return;
    this.#bytes = 0;
    this.#running = this.#sync();
  }

  /**
   * Wait for the one on its way.
   * @throws what made one fail: the kernel tells of an error once, so that the last sync would hear nothing of it
   */
  async end(): Promise<void> {
    await this.#running;
    if (this.#failed) throw this.#failed.error;
  }

  /** As {@link end}, but silent: for when something else went wrong already. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running;
  }

  async #sync(): Promise<void> {
    try {
      await this.#context.driver.sync();
    } catch (error) {
      this.#failed = { error };
    }
    this.#running = undefined;
  }
}
