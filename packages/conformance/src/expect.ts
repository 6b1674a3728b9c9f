import assert from "node:assert/strict";
import { type ErrorCode, isStrataError } from "@strata/core";

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
