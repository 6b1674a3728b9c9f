import type { AppliedLayer, ApplyOptions } from "./apply/options.ts";

export interface LayerWorkersOptions {
  /** How many layers are applied at the same time, each by a thread. @defaultValue the number of CPUs, at most 4 */
  readonly threads?: number;
}

/** A pool of threads that apply layers. Jobs beyond the number of threads wait in the order they came. */
export class LayerWorkers implements AsyncDisposable {
  constructor(options: LayerWorkersOptions = {}) {
    void options;
  }

  /** Unpack a layer's archive into a snapshot, verifying digests on the way. */
  apply(options: ApplyOptions): Promise<AppliedLayer> {
    return Promise.reject(new Error(`cannot apply ${options.source.path} yet`));
  }

  /** Stop the threads. Jobs that were not done fail with `Aborted`. Closing twice is fine. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
