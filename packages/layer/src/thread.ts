/** The program of a thread of {@link LayerWorkers} that applies layers. */
import { parentPort } from "node:worker_threads";
import { applyLayer } from "./apply/apply-layer.ts";
import { JobAborted } from "./apply/job.ts";
import { threadHooks } from "./thread-hooks.ts";
import { type ApplyReply, type JobMessage, packError } from "./thread-messages.ts";

if (parentPort === null) throw new Error("this module is the program of a worker thread");
const port = parentPort;

port.on("message", (message: JobMessage) => {
  void run(message).then((reply) => port.postMessage(reply));
});

async function run({ job, abort, feed }: JobMessage): Promise<ApplyReply> {
  const hooks = threadHooks(port, abort);
  try {
    hooks.checkAbort();
    return { kind: "done", layer: await applyLayer(job, hooks, feed) };
  } catch (error) {
    return error instanceof JobAborted ? { kind: "aborted" } : { kind: "failed", error: packError(error) };
  }
}
