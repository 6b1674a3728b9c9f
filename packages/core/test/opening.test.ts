import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createDriver, StrataError } from "@strata/core";
import { describe, expect, test } from "vitest";
import { directoryMechanism } from "./fixtures/directory-mechanism.mjs";
import { directoryDriver, scratch } from "./scratch.ts";

const code = (name: string) => expect.objectContaining({ name: "StrataError", code: name });

describe("opening", () => {
  test("the root of another driver is refused", async () => {
    const root = scratch();
    await directoryDriver({ root });
    const other = { ...directoryMechanism(), name: "other" };
    await expect(createDriver(other, { root })).rejects.toEqual(code("FailedPrecondition"));
  });

  test("a root where the mechanism cannot work is left as it was", async () => {
    const root = join(scratch(), "root");
    const unable = {
      ...directoryMechanism(),
      name: "unable",
      probe: () => Promise.reject(new StrataError("Unsupported", "not on this host; take another driver")),
    };
    await expect(createDriver(unable, { root })).rejects.toEqual(code("Unsupported"));
    expect(readdirSync(root)).toEqual([]);
    await directoryDriver({ root });
  });

  test.each(["/proc/root", "/proc/above/root"])(
    "the root %s, which can never be, is refused",
    async (root) => {
      await expect(directoryDriver({ root })).rejects.toEqual(code("Unsupported"));
      await expect(directoryDriver({ root })).rejects.toThrow("/proc takes no directories");
    },
  );

  test("a root that is a file is refused", async () => {
    await expect(directoryDriver({ root: import.meta.filename })).rejects.toEqual(code("AlreadyExists"));
  });

  test("options that are not what their types say are TypeErrors", async () => {
    // @ts-expect-error a root is needed
    await expect(createDriver(directoryMechanism(), {})).rejects.toThrow(TypeError);
    // @ts-expect-error a word that is not known
    await expect(directoryDriver({ durability: "always" })).rejects.toThrow(TypeError);
  });
});
