import type { MessagePort } from "node:worker_threads";
import { type ApplyHooks, JobAborted } from "./apply/job.ts";
import type { ProgressMessage } from "./thread-messages.ts";

const progressMs = 50;

/** What a thread does while it works on a job: tell how far it is, and look whether it is to stop. */
export function threadHooks(port: MessagePort, abort: Int32Array): ApplyHooks {
  const checkAbort = () => {
    if (Atomics.load(abort, 0) !== 0) throw new JobAborted();
  };
  let reported = performance.now();
  const onProgress = (bytesRead: number) => {
    checkAbort();
    if (performance.now() - reported < progressMs) return;
    reported = performance.now();
    port.postMessage({ kind: "progress", bytesRead } satisfies ProgressMessage);
  };
  return { checkAbort, onProgress };
}
