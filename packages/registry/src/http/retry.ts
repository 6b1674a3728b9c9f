import { setTimeout } from "node:timers/promises";
import { type HttpAnswer, headerOf } from "./message.ts";

export interface RetryOptions {
  /** How often a request is tried in all, if it may be repeated. @defaultValue 5 */
  readonly attempts?: number;
  /** The first wait; each further one is twice as long, and all of them vary by up to a half. @defaultValue 250 */
  readonly firstDelayMs?: number;
  /**
   * The longest wait. A server that asks for a longer one with Retry-After is not asked again: the error tells how long.
   * @defaultValue 30_000
   */
  readonly maxDelayMs?: number;
}

export const retryDefaults: Required<RetryOptions> = { attempts: 5, firstDelayMs: 250, maxDelayMs: 30_000 };

/** Whether the same request can do better later: too many requests, or the server's own trouble. */
export function isTransientStatus(status: number): boolean {
  return [408, 429, 500, 502, 503, 504].includes(status);
}

/**
 * How long to wait before trying again.
 * @param attempt - how many have failed, from 1
 * @param askedMs - what the server asked for
 * @returns undefined if that is longer than anybody should wait
 */
export function delayMs(
  attempt: number,
  askedMs: number | undefined,
  options: Required<RetryOptions>,
): number | undefined {
  const { firstDelayMs, maxDelayMs } = options;
  if (askedMs !== undefined && askedMs > maxDelayMs) return undefined;
  // Those who failed together shall not come back together.
  const backoff = Math.min(firstDelayMs * 2 ** (attempt - 1), maxDelayMs) * (0.5 + Math.random() / 2);
  return Math.max(askedMs ?? 0, backoff);
}

/** What `Retry-After` asks for, in seconds or as a date. @see RFC 9110, section 10.2.3 */
export function retryAfterMs(answer: Pick<HttpAnswer, "headers">, now = Date.now()): number | undefined {
  const text = headerOf(answer, "retry-after")?.trim();
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** @throws the signal's reason */
export async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await setTimeout(ms, undefined, { ...(signal && { signal }) }).catch(() => signal?.throwIfAborted());
}
