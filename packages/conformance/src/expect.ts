import assert from "node:assert/strict";
import { type ErrorCode, errnoCode, isStrataError } from "@strata/core";

/** That a call is refused with a code, and a message that says something. */
export async function rejects(call: Promise<unknown>, ...codes: readonly ErrorCode[]): Promise<void> {
  const wanted = codes.join(" or ");
  let value: unknown;
  try {
    value = await call;
  } catch (error) {
    assert(isStrataError(error), `expected a StrataError ${wanted}, not ${String(error)}`);
    assert(codes.includes(error.code), `expected ${wanted}, not ${error.code}: ${error.message}`);
    assert(error.message.length > 10, `the message says nothing: "${error.message}"`);
    return;
  }
  assert.fail(`expected ${wanted}, but it succeeded${value === undefined ? "" : ` with ${typeof value}`}`);
}

/** That a call with arguments that are not of their types is refused as a programmer's mistake. */
export async function rejectsTypeError(call: () => Promise<unknown>): Promise<void> {
  // A throw instead of a rejection would do as well, to those who await.
  await assert.rejects(async () => call(), TypeError);
}

/** That a write to a read-only tree fails as one. */
export function refusesWrite(write: () => void): void {
  assert.throws(write, (error) => errnoCode(error) === "EROFS", "a write succeeded, or failed otherwise");
}
