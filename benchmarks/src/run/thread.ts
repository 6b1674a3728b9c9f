/** The program of a thread that measures: see {@link TrialThread}. */
import { parentPort } from "node:worker_threads";
import { Bench } from "tinybench";
import type { Operation, Trial } from "../workload.ts";
import { loadWorkload } from "../workloads/index.ts";
import type { OperationRun, Reply, Request } from "./messages.ts";

if (parentPort === null) throw new Error("this module is the program of a worker thread");
const port = parentPort;
const abort = new AbortController();
let trial: Trial | undefined;
let busy = Promise.resolve();

port.on("message", (request: Request) => {
  if (request.kind === "abort") abort.abort();
  // What was asked before is finished first, or notices the abort.
  busy = busy.then(async () => {
    const reply = await answer(request).catch(
      (error: unknown): Reply => ({
        kind: "failed",
        message: error instanceof Error ? error.message : String(error),
      }),
    );
    port.postMessage(reply);
  });
});

async function answer(request: Request): Promise<Reply> {
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
    case "run": {
      const operation = trial?.operations[request.operation];
      if (operation === undefined) throw new TypeError("no such operation is open");
      return { kind: "ran", ...(await run(operation, request.iterations)) };
    }
    case "abort":
      await trial?.[Symbol.asyncDispose]();
      trial = undefined;
      return { kind: "closed" };
  }
}

async function run(operation: Operation, iterations: number): Promise<OperationRun> {
  const bench = new Bench({ iterations, time: 0, warmup: false, retainSamples: true, throws: true });
  let peakBytes: number | undefined;
  const timed = async () => {
    const result = await operation.run();
    const peak = peakBytesOf(result);
    if (peak !== undefined) peakBytes = Math.max(peakBytes ?? 0, peak);
    return result;
  };
  bench.add(operation.name, timed, {
    // Said, not found out: tinybench would call it once more to see.
    async: true,
    beforeEach: async () => {
      abort.signal.throwIfAborted();
      await operation.before?.();
    },
    afterEach: async () => {
      await operation.after?.();
    },
  });
  const startedAtMilliseconds = performance.timeOrigin + performance.now();
  const [task] = await bench.run();
  const endedAtMilliseconds = performance.timeOrigin + performance.now();
  if (task?.result.state !== "completed") throw new Error(`${operation.name} ended as ${task?.result.state}`);
  const samplesMilliseconds = task.result.latency.samples ?? [];
  return {
    samplesMilliseconds,
    startedAtMilliseconds,
    endedAtMilliseconds,
    ...(peakBytes !== undefined && { peakBytes }),
  };
}

function peakBytesOf(result: unknown): number | undefined {
  if (typeof result !== "object" || result === null || !("peakBytes" in result)) return undefined;
  return typeof result.peakBytes === "number" ? result.peakBytes : undefined;
}
