import type { MessagePort } from "node:worker_threads";
import type { Digest } from "@strata/core";
import type { Compression } from "../compression.ts";
import { defaultLimits } from "../limits.ts";
import { packError, type SentError } from "../thread-messages.ts";
import { BlobContent } from "./blob-content.ts";
import { type ApplyHooks, type ApplyJob, JobAborted } from "./job.ts";
import { isContentError } from "./layer-content.ts";
import { type RingMemory, RingProducer } from "./ring.ts";

/** What ties the two threads of a layer together. */
export interface Feed {
  readonly ring: RingMemory;
  /** From the thread that reads to the one that writes: a {@link FeedMessage} is there before the ring tells of it. */
  readonly port: MessagePort;
}

/** First `opened`, then the bytes through the ring, then one of the others; or only one of these. */
export type FeedMessage =
  | { readonly kind: "opened"; readonly size: number; readonly compression: Compression }
  | { readonly kind: "ended"; readonly blob: Digest; readonly diffId: Digest }
  | { readonly kind: "failed"; readonly error: SentError; readonly blob: Digest | undefined }
  | { readonly kind: "aborted" };

/** Thrown where bytes are to be handed on that nobody wants any more. */
class Unwanted extends Error {}

/**
 * The first half of applying a layer, beside the other thread's second: read, hash, keep, inflate, hash. Whatever goes
 * wrong is told to the other thread.
 */
export async function feedLayer(job: ApplyJob, { ring, port }: Feed, hooks: ApplyHooks): Promise<void> {
  const checkAbort = () => {
    hooks.checkAbort();
    if (producer.stop === "at-once") throw new JobAborted();
  };
  const producer = new RingProducer(ring, () => {
    checkAbort();
    if (producer.stop === "read-on") throw new Unwanted();
  });
  const tell = (message: FeedMessage) => {
    port.postMessage(message);
    producer.signal();
  };
  try {
    tell(
      await feed(job, producer, tell, {
        checkAbort,
        onProgress: (bytesRead) => {
          checkAbort();
          hooks.onProgress(bytesRead);
        },
      }),
    );
  } catch (error) {
    tell(
      error instanceof JobAborted
        ? { kind: "aborted" }
        : { kind: "failed", error: packError(error), blob: undefined },
    );
  }
  producer.end();
  port.close();
}

async function feed(
  job: ApplyJob,
  producer: RingProducer,
  tell: (message: FeedMessage) => void,
  hooks: ApplyHooks,
): Promise<FeedMessage> {
  const content = new BlobContent(job, { ...defaultLimits, ...job.limits }, hooks);
  try {
    tell({ kind: "opened", size: content.size, compression: content.compression });
    try {
      for await (const chunk of content.chunks((wanted) => producer.room(wanted))) producer.push(chunk);
    } catch (error) {
      if (error instanceof JobAborted) throw error;
      if (!(error instanceof Unwanted)) {
        const isToBeRead = isContentError(error) && job.expected?.blob !== undefined;
        return { kind: "failed", error: packError(error), blob: isToBeRead ? content.blob() : undefined };
      }
    }
    const blob = content.blob();
    return { kind: "ended", blob, diffId: content.diffId() };
  } finally {
    content.close();
  }
}
