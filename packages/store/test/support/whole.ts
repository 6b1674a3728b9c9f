import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isStrataError } from "@strata/core";
import { expect } from "vitest";
import type { OpenedStore } from "./store.ts";
import { unowned } from "./unowned.ts";

/** What an operation that failed must leave as it was. */
export async function contentOf({ store }: OpenedStore): Promise<object> {
  const images = await store.images({ all: true });
  const containers = await store.containers();
  return {
    images: images.map(({ id, references }) => ({ id, references })),
    containers: containers.map(({ id, name, mountedAt }) => ({ id, name, mountedAt })),
  };
}

/** That a failed operation left everything as it was, and nothing half-made. */
export async function expectUnchanged(opened: OpenedStore, before: object, what: string): Promise<void> {
  expect(await contentOf(opened), what).toEqual(before);
  expect(await readdir(join(opened.root, "ingest")), what).toEqual([]);
  // On a full disk, check itself may find no room: it keeps gc from what it looks at.
  const problems = await opened.store.check().catch((error: unknown) => {
    if (!isStrataError(error, "NoSpace")) throw error;
    return [];
  });
  expect(problems, what).toEqual([]);
  await opened.store.gc();
  expect(await unowned(opened), what).toEqual([]);
}
