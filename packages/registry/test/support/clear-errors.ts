import { isStrataError } from "@strata/core";
import { expect } from "vitest";
import { answerTimeoutMs } from "./random-faults.ts";

/** So that no fault takes long. */
export const hastily = { attempts: 3, maxDelayMs: 20, answerTimeoutMs, idleTimeoutMs: answerTimeoutMs };

/** What a pull may fail with here, where there is room and the store is in order. */
const codes = [
  "Aborted",
  "Busy",
  "Corrupt",
  "FailedPrecondition",
  "InvalidArgument",
  "NotFound",
  "Unsupported",
];

/** That people can do something with an error: it says what failed, and where. */
export function expectClear(error: unknown, host: string): void {
  if (!isStrataError(error)) throw error;
  expect(codes).toContain(error.code);
  expect(error.message).toContain(host);
  expect(error.message).not.toMatch(/\n|undefined|NaN|\[object|\bat \S+:\d+:\d+|UND_ERR|<html/);
  expect(error.message.length).toBeLessThan(600);
}
