import { readFileSync } from "node:fs";
import { failpoints as coreFailpoints } from "@strata/core";
import { failpoints as storeFailpoints } from "@strata/store";
import { afterAll, describe, expect, it } from "vitest";
import { StoreProcess } from "./support/child.ts";
import { type Operation, operations } from "./support/operations.ts";
import { allDrivers, type DriverName, type OpenedStore, openStore, Scratch } from "./support/store.ts";
import { unowned } from "./support/unowned.ts";

const reached = new Set<string>();
const tried = new Set<DriverName>();

/** They make or remove layers, whose files are compared after each kill; after other operations, once. */
const layerOperations: ReadonlySet<string> = new Set([
  "load",
  "receive",
  "import",
  "commit",
  "rmi",
  "gc",
  "repair",
]);

describe.concurrent("a process killed at each failpoint leaves a good store", () => {
  it.each(allDrivers)(
    "under %s",
    async (driver) => {
      await using scratch = await Scratch.make(driver);
      const shared = scratch.join("store");
      await using opened = await openStore(shared, driver);
      let kills = 0;
      for (const operation of await operations(scratch, opened)) {
        const root = operation.root ?? shared;
        await operation.prepare(opened);
        const before = operation.root === undefined ? await summaryOf(opened) : undefined;
        const points = await rehearse(scratch, root, driver, operation);
        const after = await inStore(root, driver, summaryOf);
        for (const point of points) {
          const where = `${operation.name}, killed at ${point}`;
          await operation.prepare(opened);
          const child = await StoreProcess.start(root, driver, operation.call, point);
          expect([await child.end(), child.wasKilled], where).toEqual([null, true]);
          kills += 1;
          const found = await inStore(root, driver, summaryOf);
          expect([before ?? after, after], where).toContainEqual(found);
          const look = (store: OpenedStore) => examine(store, operation, [found, after], where);
          await (operation.root === undefined ? look(opened) : inStore(root, driver, look));
        }
        // So that there is little to look at for the next.
        await operation.prepare(opened);
        if (!operation.damaged) expect(await opened.store.check(), operation.name).toEqual([]);
      }
      tried.add(driver);
      console.log(`${driver}: ${kills} kills`);
    },
    900_000,
  );
});

afterAll(() => {
  // Some are come to under one driver only.
  if (tried.size < 3) return;
  expect([...coreFailpoints, ...storeFailpoints].filter((name) => !reached.has(name))).toEqual([]);
});

/** Let a process do it all. @returns the failpoints that it comes to */
async function rehearse(scratch: Scratch, root: string, driver: DriverName, operation: Operation) {
  const trace = scratch.join(`trace-${operation.name}`);
  const child = await StoreProcess.start(root, driver, operation.call, `>${trace}`);
  expect(await child.end(), operation.name).toBe(0);
  const passed = new Set(readFileSync(trace, "utf8").trimEnd().split("\n"));
  for (const name of passed) reached.add(name);
  // To open a driver is an operation, too; it need not be tried with each of the others.
  return [...passed].filter((name) => operation.name === "open" || !name.startsWith("open."));
}

/** @param found - by who opened the store after the kill; it must stay, until the operation is repeated */
async function examine(
  opened: OpenedStore,
  operation: Operation,
  [found, after]: readonly [Summary, Summary],
  where: string,
): Promise<void> {
  const { store } = opened;
  const quick = !layerOperations.has(operation.name);
  if (!operation.damaged) expect(await store.check({ quick }), where).toEqual([]);
  await store.gc();
  expect(await unowned(opened), where).toEqual([]);
  expect(await summaryOf(opened), where).toEqual(found);
  await operation.repeat(opened);
  expect(await summaryOf(opened), where).toEqual(after);
  expect(await store.check({ quick: true }), where).toEqual([]);
  expect(await unowned(opened), where).toEqual([]);
}

interface Summary {
  /** Each with its references. */
  readonly images: readonly string[];
  readonly containers: readonly { readonly name: string; readonly isMounted: boolean }[];
}

async function summaryOf({ store }: OpenedStore): Promise<Summary> {
  const images = (await store.images({ all: true })).map(({ references }) => [...references].sort().join());
  const containers = (await store.containers()).map(({ name, mountedAt }) => ({
    name,
    isMounted: mountedAt !== undefined,
  }));
  return { images: images.sort(), containers: containers.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

async function inStore<T>(root: string, driver: DriverName, use: (opened: OpenedStore) => Promise<T>) {
  await using opened = await openStore(root, driver);
  return await use(opened);
}
