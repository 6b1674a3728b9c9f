import { Worker } from "node:worker_threads";
import type { WorkloadName } from "../workload.ts";
import type { OperationRun, Reply, Request, SentContext, SentOperation } from "./messages.ts";

type ReplyOf<K extends Reply["kind"]> = Extract<Reply, { kind: K }>;

/** A thread that measures one subject of one case. Asked one thing at a time. */
export class TrialThread implements AsyncDisposable {
  readonly #worker = new Worker(new URL("./thread.js", import.meta.url), {
    name: "strata-bench",
    // Flags of the process are not for the thread: with --input-type, for one, it would not start.
    execArgv: [],
  });
  #closed = false;

  /** @throws Error, with the workload's message */
  async setUp(workload: WorkloadName, context: SentContext): Promise<void> {
    await this.#ask({ kind: "set up", workload, context }, "set up");
  }

  /** @throws Error, with the workload's message */
  async open(workload: WorkloadName, context: SentContext): Promise<readonly SentOperation[]> {
    return (await this.#ask({ kind: "open", workload, context }, "opened")).operations;
  }

  /** @throws Error, with the workload's message */
  run(operation: number, iterations: number): Promise<OperationRun> {
    return this.#ask({ kind: "run", operation, iterations }, "ran");
  }

  /** End what it does, close its trial, and stop it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#ask({ kind: "abort" }, "closed");
    } finally {
      await this.#worker.terminate();
    }
  }

  #ask<K extends Reply["kind"]>(request: Request, expected: K): Promise<ReplyOf<K>> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        this.#worker.off("message", onMessage);
        this.#worker.off("error", onError);
        this.#worker.off("exit", onExit);
        settle();
      };
      const onMessage = (reply: Reply) => {
        // The answer to what was asked before, and given up.
        if (reply.kind !== expected && reply.kind !== "failed") return;
        end(() => (isReply(reply, expected) ? resolve(reply) : reject(failure(reply))));
      };
      const onError = (error: unknown) => end(() => reject(error));
      const onExit = (code: number) =>
        end(() => reject(new Error(`the thread that measured ended (exit code ${code})`)));
      this.#worker.on("message", onMessage);
      this.#worker.on("error", onError);
      this.#worker.on("exit", onExit);
      this.#worker.postMessage(request);
    });
  }
}

function isReply<K extends Reply["kind"]>(reply: Reply, kind: K): reply is ReplyOf<K> {
  return reply.kind === kind;
}

function failure(reply: Reply): Error {
  return new Error(reply.kind === "failed" ? reply.message : `an unexpected answer: ${reply.kind}`);
}
