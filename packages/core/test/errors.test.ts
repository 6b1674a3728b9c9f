import { readFileSync } from "node:fs";
import { errnoCode, isStrataError, StrataError, toStrataError } from "@strata/core";
import { expect, test } from "vitest";

function systemError(): unknown {
  try {
    return readFileSync("/no/such/file");
  } catch (error) {
    return error;
  }
}

test("a system error becomes a StrataError that says what failed and keeps its cause", () => {
  const cause = systemError();
  const error = toStrataError(cause, "load the index");
  if (!isStrataError(error)) throw new Error("not mapped");
  expect(error).toMatchObject({ name: "StrataError", code: "NotFound", cause });
  expect(error.message).toMatch(/^load the index: ENOENT: .*\/no\/such\/file/);
});

test.each([
  ["ENOSPC", "NoSpace"],
  ["EDQUOT", "NoSpace"],
  ["EBUSY", "Busy"],
  ["EPERM", "Unsupported"],
  ["EIO", "Corrupt"],
  ["EUCLEAN", "Corrupt"],
  ["ENAMETOOLONG", "InvalidArgument"],
  ["EXYZ", "FailedPrecondition"],
])("%s is %s", (errno, code) => {
  expect(toStrataError(Object.assign(new Error("failed"), { code: errno }), "x")).toMatchObject({ code });
});

test.each([
  ["a synchronous call", "UNKNOWN", "UNKNOWN: unknown error"],
  ["a promise", "Unknown system error -122", "Unknown system error -122: Unknown system error -122"],
])("a full quota has no name in Node, and is told by its number, from %s", (_, code, message) => {
  const node = Object.assign(new Error(`${message}, write`), { code, errno: -122 });
  expect(errnoCode(node)).toBe("EDQUOT");
  const error = toStrataError(node, "apply");
  expect(error).toMatchObject({ code: "NoSpace", cause: node });
  expect(error).toHaveProperty(
    "message",
    expect.stringMatching(/^apply: EDQUOT: disk quota exceeded, write; /),
  );
  expect(errnoCode(Object.assign(new Error(), { code, errno: -4094 }))).toBeUndefined();
});

test("all else comes back as it is", () => {
  for (const error of [
    new StrataError("Busy", "mounted"),
    new TypeError("not a string"),
    new DOMException("aborted", "AbortError"),
    Object.assign(new Error("not an errno"), { code: "ERR_INVALID_ARG_TYPE" }),
    "a string",
    undefined,
  ]) {
    expect(toStrataError(error, "x")).toBe(error);
    expect(errnoCode(error)).toBeUndefined();
  }
});

test("errors of another copy of the package are recognised", () => {
  const other = Object.assign(new Error("from elsewhere"), {
    code: "Busy",
    [Symbol.for("@strata/core.StrataError")]: true,
  });
  expect(isStrataError(other)).toBe(true);
  expect(isStrataError(other, "Busy")).toBe(true);
  expect(isStrataError(other, "NotFound")).toBe(false);
  expect(isStrataError(Object.assign(new Error("no"), { code: "Busy" }))).toBe(false);
  expect(isStrataError("no")).toBe(false);
});
