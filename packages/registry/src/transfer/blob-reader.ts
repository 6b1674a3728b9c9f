import { type Digest, isStrataError } from "@strata/core";
import type { FetchedBlob } from "../api/blobs.ts";
import type { RegistryClient, SourceOptions } from "../api/registry-client.ts";
import { delayMs, retryDefaults, wait } from "../http/retry.ts";

/**
 * The bytes of a blob from a position on, over as many connections as it takes: where one breaks off, the next goes on.
 * It gives up after five in a row that brought nothing.
 * @throws StrataError as `RegistryClient.getBlob`
 */
export async function* readBlob(
  client: RegistryClient,
  digest: Digest,
  from: number,
  options: SourceOptions & { readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  let position = from;
  for (let failures = 0; ; ) {
    const before = position;
    try {
      for await (const piece of piecesFrom(
        await client.getBlob(digest, { ...options, from: position }),
        position,
      )) {
        yield piece;
        position += piece.length;
      }
      return;
    } catch (error) {
      options.signal.throwIfAborted();
      failures = position > before ? 1 : failures + 1;
      if (!isStrataError(error, "Aborted") || failures >= retryDefaults.attempts) throw error;
      await wait(delayMs(failures, undefined, retryDefaults) ?? 0, options.signal);
    }
  }
}

/** A server may send all of a blob where a part was asked for: what is known already is passed over. */
async function* piecesFrom(blob: FetchedBlob, from: number): AsyncGenerator<Uint8Array> {
  let position = blob.from;
  for await (const piece of blob.stream) {
    const known = Math.max(0, from - position);
    position += piece.length;
    if (known < piece.length) yield piece.subarray(known);
  }
}
