import { isStrataError, StrataError } from "@strata/core";
import type { Descriptor } from "@strata/store";
import type { FetchedBlob } from "../api/blobs.ts";
import type { RegistryClient, SourceOptions } from "../api/registry-client.ts";
import { delayMs, wait } from "../http/retry.ts";

/**
 * The bytes of a blob from a position on, over as many connections as it takes: where one breaks off, the next goes on.
 * It gives up after as many in a row that brought nothing as requests are tried.
 * @throws StrataError as `RegistryClient.getBlob`
 */
export async function* readBlob(
  client: RegistryClient,
  { digest, size }: Pick<Descriptor, "digest" | "size">,
  from: number,
  { mirrors = true, signal }: SourceOptions & { readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  let position = from;
  for (let failures = 0; ; ) {
    const before = position;
    // A mirror that breaks off and brings nothing is left for the registry.
    const blob = await client.getBlob(digest, { from: position, mirrors: mirrors && failures < 2, signal });
    try {
      for await (const piece of piecesFrom(blob, position)) {
        yield piece;
        position += piece.length;
      }
      if (position >= size) return;
      throw new StrataError("Aborted", `the answer ended after ${position} of ${size} bytes`);
    } catch (error) {
      signal.throwIfAborted();
      // Whether they are right, their digest says.
      if (position >= size) return;
      failures = position > before ? 1 : failures + 1;
      if (!isStrataError(error, "Aborted") || failures >= client.retry.attempts) throw error;
      await wait(delayMs(failures, undefined, client.retry) ?? 0, signal);
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
