/** The program of a thread that measures: see {@link TrialThread}. */
import { setImmediate } from "node:timers/promises";
import { parentPort } from "node:worker_threads";
import { Bench } from "tinybench";
import type { Operation, Trial } from "../workload.ts";
import { loadWorkload } from "../workloads/index.ts";
import type { Answer, Message, OperationRun, Reply, Request } from "./messages.ts";

if (parentPort === null) throw new Error("this module is the program of a worker thread");
const port = parentPort;
const abort = new AbortController();
let trial: Trial | undefined;
let busy = Promise.resolve();

port.on("message", (message: Message) => {
  if (message === "abort") return abort.abort();
  const { id, request } = message;
  // What was asked before is finished first, or notices the abort.
  busy = busy.then(async () => {
    const reply = await answer(request).catch(
      (error: unknown): Reply => ({
        kind: "failed",
        message: error instanceof Error ? error.message : String(error),
      }),
    );
    port.postMessage({ id, reply } satisfies Answer);
  });
});

async function answer(request: Request): Promise<Reply> {
  if (request.kind === "close") {
    await trial?.[Symbol.asyncDispose]();
    return { kind: "closed" };
  }
  abort.signal.throwIfAborted();
  switch (request.kind) {
    case "set up": {
      const workload = await loadWorkload(request.workload);
      await workload.setUp?.({ ...request.context, signal: abort.signal });
      return { kind: "set up" };
    }
    case "open": {
      const workload = await loadWorkload(request.workload);
      trial = await workload.open({ ...request.context, signal: abort.signal });
      const operations = trial.operations.map(({ name, work = {}, countsWrites = false }) => ({
        name,
        work,
        countsWrites,
      }));
      return { kind: "opened", operations };
    }
    case "prepare":
      await operationOf(request.operation).before?.();
      return { kind: "prepared" };
    case "run":
      return {
        kind: "ran",
        ...(await run(operationOf(request.operation), request.iterations, request.prepared)),
      };
  }
}

function operationOf(index: number): Operation {
  const operation = trial?.operations[index];
  if (operation === undefined) throw new TypeError("no such operation is open");
  return operation;
}

async function run(operation: Operation, iterations: number, prepared: boolean): Promise<OperationRun> {
  const bench = new Bench({ iterations, time: 0, warmup: false, retainSamples: true, throws: true });
  let isPrepared = prepared;
  let startedAtMilliseconds: number | undefined;
  let endedAtMilliseconds = 0;
  let peakBytes: number | undefined;
  const timed = async () => {
    startedAtMilliseconds ??= now();
    const result = await operation.run();
    endedAtMilliseconds = now();
    const peak = peakBytesOf(result);
    if (peak !== undefined) peakBytes = Math.max(peakBytes ?? 0, peak);
    return result;
  };
  bench.add(operation.name, timed, {
    // Said, not found out: tinybench would call it once more to see.
    async: true,
    beforeEach: async () => {
      // Word of an abort comes in between turns of the event loop, which there are none of else.
      await setImmediate();
      abort.signal.throwIfAborted();
      if (!isPrepared) await operation.before?.();
      isPrepared = false;
    },
    afterEach: async () => {
      await operation.after?.();
    },
  });
  const [task] = await bench.run();
  if (task?.result.state !== "completed") throw new Error(`${operation.name} ended as ${task?.result.state}`);
  return {
    samplesMilliseconds: task.result.latency.samples ?? [],
    startedAtMilliseconds: startedAtMilliseconds ?? endedAtMilliseconds,
    endedAtMilliseconds,
    ...(peakBytes !== undefined && { peakBytes }),
  };
}

function now(): number {
  return performance.timeOrigin + performance.now();
}

function peakBytesOf(result: unknown): number | undefined {
  if (typeof result !== "object" || result === null || !("peakBytes" in result)) return undefined;
  // A command that ended before it was looked at had none that is known.
  return typeof result.peakBytes === "number" && result.peakBytes > 0 ? result.peakBytes : undefined;
}
