import { type Transferable, Worker } from "node:worker_threads";
import { StrataError } from "@strata/core";
import type { ProgressMessage } from "./thread-messages.ts";

/**
 * Threads of one program, each doing one job at a time. One is started when there is none to do a job, and kept for
 * the next; those that have nothing to do do not keep the process alive.
 */
export class Threads<Job, Reply extends { readonly kind: string }> {
  readonly #program: URL;
  readonly #idle: Worker[] = [];

  constructor(program: URL) {
    this.#program = program;
  }

  /**
   * Have a job done.
   * @throws what the thread has died of
   */
  async run(
    job: Job,
    transfer: readonly Transferable[],
    onProgress: (bytesRead: number) => void,
  ): Promise<Reply> {
    const worker = this.#idle.pop() ?? startThread(this.#program);
    worker.ref();
    try {
      const reply = await this.#converse(worker, job, transfer, onProgress);
      worker.unref();
      this.#idle.push(worker);
      return reply;
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  /** Stop the threads that have nothing to do. */
  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((worker) => worker.terminate()));
  }

  #converse(
    worker: Worker,
    job: Job,
    transfer: readonly Transferable[],
    onProgress: (bytesRead: number) => void,
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const stopListening = () => {
        worker.off("message", onMessage);
        worker.off("error", onError);
        worker.off("exit", onExit);
      };
      const onMessage = (message: Reply | ProgressMessage) => {
        if (isProgress(message)) {
          onProgress(message.bytesRead);
        } else {
          stopListening();
          resolve(message);
        }
      };
      const onError = (error: unknown) => {
        stopListening();
        reject(error);
      };
      const onExit = (code: number) => onError(exitError(code));
      worker.on("message", onMessage);
      worker.on("error", onError);
      worker.on("exit", onExit);
      worker.postMessage(job, transfer);
    });
  }
}

function isProgress(message: { readonly kind: string }): message is ProgressMessage {
  return message.kind === "progress";
}

function startThread(program: URL): Worker {
  const worker = new Worker(program, {
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

function exitError(code: number): StrataError {
  return new StrataError("Aborted", `the thread that applied the layer ended (exit code ${code}); try again`);
}
