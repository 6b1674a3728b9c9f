import { randomBytes } from "node:crypto";
import { StrataError } from "./errors.ts";

const form = /^[A-Za-z0-9][A-Za-z0-9_.:@+-]{0,254}$/;

/**
 * Check that `id` can name a snapshot: 1 to 255 of the characters `A-Z a-z 0-9 _ . : @ + -`, the first a letter or
 * digit. So an id is a file name, never a path, and a digest is an id.
 * @param what - names the argument in messages
 * @throws TypeError, if it is not a string
 * @throws StrataError `InvalidArgument`
 */
export function assertId(id: unknown, what = "id"): asserts id is string {
  if (typeof id !== "string") throw new TypeError(`${what} must be a string, not ${typeof id}`);
  if (!form.test(id)) {
    throw new StrataError(
      "InvalidArgument",
      `${what} ${JSON.stringify(id)} must be 1 to 255 of A-Z a-z 0-9 _ . : @ + -, beginning with a letter or digit`,
    );
  }
}

/** A name that nothing else has: 16 hex digits. */
export function randomName(): string {
  return randomBytes(8).toString("hex");
}
