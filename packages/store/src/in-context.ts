import { isStrataError, StrataError, toStrataError } from "@strata/core";

/**
 * Do something, and let its errors begin with what it is about: `layer 3f1e...: unexpected end of data`. System errors
 * are mapped; an abort's reason comes as it is.
 */
export async function inContext<T>(
  what: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted && error === signal.reason) throw error;
    const mapped = toStrataError(error, what);
    if (!isStrataError(mapped) || mapped.message.startsWith(what)) throw mapped;
    throw new StrataError(mapped.code, `${what}: ${mapped.message}`, { cause: mapped });
  }
}
