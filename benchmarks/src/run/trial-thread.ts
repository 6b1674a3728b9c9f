import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { WorkloadReference } from "../workloads/index.ts";
import type {
  Answer,
  Message,
  OperationRun,
  Reply,
  Request,
  SentContext,
  SentOperation,
} from "./messages.ts";

type ReplyOf<K extends Reply["kind"]> = Extract<Reply, { kind: K }>;

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

/** More than a program gets that is told to end. */
const abortPatienceMs = 15_000;

/** A thread that measures one subject of one case. Asked one thing at a time; each fails at once on the signal. */
export class TrialThread implements AsyncDisposable {
  readonly #worker = new Worker(new URL("./thread.js", import.meta.url), {
    name: "strata-bench",
    // Flags of the process are not for the thread: with --input-type, for one, it would not start.
    execArgv: [],
  });
  readonly #signal: AbortSignal;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  /** Why it is no more. */
  #end: unknown;
  #closing: Promise<void> | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    this.#worker.on("message", ({ id, reply }: Answer) => {
      this.#waiting.get(id)?.resolve(reply);
      this.#waiting.delete(id);
    });
    // It can end while nothing is asked of it.
    this.#worker.on("error", (error) => this.#failAll(error));
    this.#worker.on("exit", (code) =>
      this.#failAll(new Error(`the thread that measured ended (exit code ${code})`)),
    );
    signal.addEventListener("abort", this.#onAbort);
  }

  /** @throws Error, with the workload's message */
  async setUp(workload: WorkloadReference, context: SentContext): Promise<void> {
    await this.#ask({ kind: "set up", workload, context }, "set up");
  }

  /** @throws Error, with the workload's message */
  async open(workload: WorkloadReference, context: SentContext): Promise<readonly SentOperation[]> {
    return (await this.#ask({ kind: "open", workload, context }, "opened")).operations;
  }

  /**
   * Do what comes before an iteration of an operation, so that `run` need not: for a `run` of one iteration that is
   * `prepared`.
   * @throws Error, with the workload's message
   */
  async prepare(operation: number): Promise<void> {
    await this.#ask({ kind: "prepare", operation }, "prepared");
  }

  /** @throws Error, with the workload's message */
  run(operation: number, iterations: number, prepared: boolean): Promise<OperationRun> {
    return this.#ask({ kind: "run", operation, iterations, prepared }, "ran");
  }

  /**
   * Close its trial, and stop it. What it still does is waited for, but after the signal not forever.
   * @throws Error, with the workload's message; the thread has ended all the same
   */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#signal.removeEventListener("abort", this.#onAbort);
    const patience = new AbortController();
    const impatient = () => setTimeout(abortPatienceMs, undefined, { signal: patience.signal });
    try {
      // There is nothing to close in a thread that has ended.
      if (this.#end !== undefined) return;
      const closed = this.#send({ kind: "close" }, "closed");
      if (!this.#signal.aborted) return void (await closed);
      await Promise.race([closed, impatient()]);
    } finally {
      patience.abort();
      await this.#worker.terminate();
    }
  }

  readonly #onAbort = () => {
    this.#post("abort");
    for (const { reject } of this.#waiting.values()) reject(this.#signal.reason);
  };

  #failAll(error: unknown): void {
    this.#end ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#end);
    this.#waiting.clear();
  }

  async #ask<K extends Reply["kind"]>(request: Request, expected: K): Promise<ReplyOf<K>> {
    this.#signal.throwIfAborted();
    return await this.#send(request, expected);
  }

  async #send<K extends Reply["kind"]>(request: Request, expected: K): Promise<ReplyOf<K>> {
    if (this.#end !== undefined) throw this.#end;
    const id = this.#asked++;
    const reply = await new Promise<Reply>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#post({ id, request });
    });
    if (isReply(reply, expected)) return reply;
    throw new Error(reply.kind === "failed" ? reply.message : `an unexpected answer: ${reply.kind}`);
  }

  #post(message: Message): void {
    this.#worker.postMessage(message);
  }
}

function isReply<K extends Reply["kind"]>(reply: Reply, kind: K): reply is ReplyOf<K> {
  return reply.kind === kind;
}
