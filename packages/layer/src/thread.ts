/** The program of a thread of {@link LayerWorkers}. */
import { parentPort } from "node:worker_threads";
import { applyLayer } from "./apply/apply-layer.ts";
import { type JobMessage, packError, type ReplyMessage } from "./thread-messages.ts";

const progressMs = 50;

class JobAborted extends Error {}

if (parentPort === null) throw new Error("this module is the program of a worker thread");
const port = parentPort;

port.on("message", (message: JobMessage) => {
  void run(message).then((reply) => port.postMessage(reply));
});

async function run({ job, abort }: JobMessage): Promise<ReplyMessage> {
  const checkAbort = () => {
    if (Atomics.load(abort, 0) !== 0) throw new JobAborted();
  };
  let reported = performance.now();
  const onProgress = (bytesRead: number) => {
    checkAbort();
    if (performance.now() - reported < progressMs) return;
    reported = performance.now();
    port.postMessage({ kind: "progress", bytesRead } satisfies ReplyMessage);
  };
  try {
    checkAbort();
    return { kind: "done", layer: await applyLayer(job, { checkAbort, onProgress }) };
  } catch (error) {
    return error instanceof JobAborted ? { kind: "aborted" } : { kind: "failed", error: packError(error) };
  }
}
