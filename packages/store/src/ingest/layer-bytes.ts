import { isStrataError } from "@strata/core";
import type { LayerSource } from "@strata/layer";
import { Download } from "./download.ts";

/** Where the bytes of a layer are, or will be. */
export type LayerBytes = LayerSource | Download;

/**
 * Do something with the bytes of a layer, as soon as there are any; and once more, if those that were here before a
 * download turn out to be wrong.
 * @param read - hashes them
 */
export async function readLayer<T>(
  bytes: LayerBytes,
  signal: AbortSignal | undefined,
  read: (source: LayerSource) => Promise<T>,
): Promise<T> {
  if (!(bytes instanceof Download)) return await read(bytes);
  for (;;) {
    const source = await bytes.source();
    try {
      return await read(source);
    } catch (error) {
      // What went wrong with a download says more than that its bytes did not come.
      signal?.throwIfAborted();
      if (!isWrong(error) || !(await bytes.replace(source))) throw error;
    }
  }
}

/** Whether other bytes could have done better. */
function isWrong(error: unknown): boolean {
  return isStrataError(error, "Corrupt") || isStrataError(error, "InvalidArgument");
}
