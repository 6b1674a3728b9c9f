/** The program of a thread of {@link LayerWorkers} that reads and inflates what another one applies. */
import { parentPort } from "node:worker_threads";
import { feedLayer } from "./apply/feed-layer.ts";
import { threadHooks } from "./thread-hooks.ts";
import type { FeedReply, JobMessage } from "./thread-messages.ts";

if (parentPort === null) throw new Error("this module is the program of a worker thread");
const port = parentPort;

port.on("message", ({ job, abort, feed }: JobMessage) => {
  if (feed === undefined) throw new TypeError("there is nobody to feed");
  void feedLayer(job, feed, threadHooks(port, abort)).then(() => {
    port.postMessage({ kind: "fed" } satisfies FeedReply);
  });
});
