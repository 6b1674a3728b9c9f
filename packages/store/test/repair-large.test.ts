import { truncate } from "node:fs/promises";
import { join } from "node:path";
import type { LayerProgress } from "@strata/store";
import { afterEach, beforeEach, expect, it } from "vitest";
import { editLayer } from "./support/edit-layer.ts";
import { type Files, imageOf } from "./support/image.ts";
import { Remote } from "./support/remote.ts";
import { drivers, type OpenedStore, openStore, Scratch } from "./support/store.ts";

const reference = "registry.test/large:1";
const sealLabel = "dev.strata.layer.seal";

let scratch: Scratch;
let opened: OpenedStore;
let remote: Remote;
let chainId: string;

beforeEach(async () => {
  scratch = await Scratch.make();
  opened = await openStore(scratch.join("store"), drivers[0]);
  const many: Files = Object.fromEntries(Array.from({ length: 4200 }, (_, n) => [`many/${n}`, ""]));
  remote = new Remote(await imageOf([{ ...many, "many/a/b/c/deep": "content" }]));
  await opened.store.receive([remote.as([reference])]);
  [chainId = ""] = (await opened.store.resolve(reference)).chainIds;
});

afterEach(async () => {
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

const isCurrent = async (): Promise<boolean> => (await opened.store.current(reference)) !== undefined;
const damage = () => editLayer(opened.driver, chainId, (dir) => truncate(join(dir, "many/a/b/c/deep")));

/** Let the seal be of another start of the host. */
async function startHostAnew(): Promise<void> {
  const { labels } = await opened.driver.stat(chainId);
  const seal = { ...JSON.parse(labels[sealLabel] ?? ""), boot: "of another start" };
  await opened.driver.setLabels(chainId, { ...labels, [sealLabel]: JSON.stringify(seal) });
}

/** @returns what became of the layer */
async function pull(): Promise<string[]> {
  const events: LayerProgress[] = [];
  await opened.store.receive([remote.as([reference])], {
    onProgress: (event) => {
      if (event.kind === "layer") events.push(event);
    },
  });
  return [...new Set(events.map(({ status }) => status))];
}

it("of a large image the top is looked at, and all of it after a new start of the host", async () => {
  expect(await isCurrent()).toBe(true);
  expect(await pull()).toEqual(["exists"]);
  await damage();
  expect(await isCurrent()).toBe(true);
  expect(await opened.store.check()).toHaveLength(1);

  // It was loaded without a walk of all its files: it is unpacked once more.
  await startHostAnew();
  expect(await isCurrent()).toBe(false);
  expect(await pull()).toContain("done");
  expect(await opened.store.check()).toEqual([]);
  expect(await isCurrent()).toBe(true);

  // From here on a walk tells.
  await startHostAnew();
  expect(await isCurrent()).toBe(false);
  expect(await pull()).toEqual(["exists"]);
  expect(await isCurrent()).toBe(true);

  await startHostAnew();
  await damage();
  expect(await pull()).toContain("done");
  expect(await opened.store.check()).toEqual([]);
});
