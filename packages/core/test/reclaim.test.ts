import { createDriver } from "@strata/core";
import { expect, test } from "vitest";
import { directoryMechanism } from "./fixtures/directory-mechanism.mjs";
import { scratch } from "./scratch.ts";

test("a cleanup that destroyed something ends with one call of reclaim; one that found nothing does not", async () => {
  const calls: [root: string, signal: AbortSignal | undefined][] = [];
  const mechanism = {
    ...directoryMechanism(),
    async reclaim(root: string, { signal }: { signal?: AbortSignal }) {
      calls.push([root, signal]);
    },
  };
  const driver = await createDriver(mechanism, { root: scratch(), durability: "none" });
  await driver.cleanup();
  expect(calls).toEqual([]);
  for (const key of ["a", "b"]) {
    await driver.prepare(key);
    await driver.remove(key);
  }
  const { signal } = new AbortController();
  await driver.cleanup({ signal });
  expect(calls).toEqual([[driver.root, signal]]);
});
