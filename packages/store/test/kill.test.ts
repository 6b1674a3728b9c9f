import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Call, StoreProcess } from "./support/child.ts";
import { type Files, imageOf } from "./support/image.ts";
import { archiveOf } from "./support/load.ts";
import { type DriverName, drivers, type OpenedStore, openStore, Scratch, treeOf } from "./support/store.ts";
import { unowned } from "./support/unowned.ts";

/** What is done, and killed, over and over; each is undone before it is done again. */
interface Operation {
  readonly name: string;
  readonly rounds: number;
  readonly prepare: (opened: OpenedStore) => Promise<void>;
  readonly call: Call;
  /** Do it again, after it was killed and everything was cleaned up. */
  readonly repeat: (opened: OpenedStore) => Promise<void>;
}

/** A file's worth of a layer that takes a few milliseconds to unpack. */
function files(layer: string, count = 40): Files {
  return Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`${layer}/${n % 5}/${n}`, `${layer} ${n} `.repeat(200)]),
  );
}

/** Reproducible: a failure is found again by its seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function removeImage({ store }: OpenedStore, reference: string): Promise<void> {
  const [removal] = await store.removeImages([reference]);
  if (removal?.error && removal.error.code !== "NotFound") throw removal.error;
}

async function operations(scratch: Scratch, opened: OpenedStore): Promise<Operation[]> {
  const base = await imageOf([files("base"), files("more")]);
  const other = await imageOf([files("base"), files("own"), { "own/.wh.0": "", "last/file": "last" }]);
  const archive = await archiveOf(scratch, [{ image: other, tags: ["other:1"] }]);
  await opened.store.load(await archiveOf(scratch, [{ image: base, tags: ["base:1"] }]));
  const container = await opened.store.createContainer("base:1", { name: "web" });
  const path = await opened.store.mountContainer(container.id);
  for (const [name, content] of Object.entries(files("new"))) {
    await mkdir(join(path, name, ".."), { recursive: true });
    await writeFile(join(path, name), content);
  }
  await opened.store.unmountContainer(container.id);

  const load = async ({ store }: OpenedStore) => {
    await store.load(archive);
  };
  const create = async ({ store }: OpenedStore) => {
    const made = (await store.containers()).some(({ name }) => name === "second");
    if (!made) await store.createContainer("base:1", { name: "second" });
  };
  const remove = async ({ store }: OpenedStore) => {
    const made = (await store.containers()).some(({ name }) => name === "second");
    if (made) await store.removeContainer("second");
  };
  return [
    {
      name: "load",
      rounds: 9,
      prepare: (store) => removeImage(store, "other:1"),
      call: ["load", archive],
      repeat: async (store) => {
        await load(store);
        expect(Object.keys(await treeOf(store, "other:1"))).toHaveLength(40 + 32 + 1);
      },
    },
    {
      name: "commit",
      rounds: 9,
      prepare: (store) => removeImage(store, "made:1"),
      call: ["commit", "web", { reference: "made:1" }],
      repeat: async (store) => {
        await store.store.commit("web", { reference: "made:1" });
        expect(Object.keys(await treeOf(store, "made:1"))).toHaveLength(3 * 40);
      },
    },
    {
      name: "rmi",
      rounds: 7,
      prepare: load,
      call: ["removeImages", ["other:1"]],
      repeat: (store) => removeImage(store, "other:1"),
    },
    {
      name: "create",
      rounds: 3,
      prepare: remove,
      call: ["createContainer", "base:1", { name: "second" }],
      repeat: create,
    },
    { name: "rm", rounds: 3, prepare: create, call: ["removeContainer", "second"], repeat: remove },
  ];
}

interface Rehearsal {
  readonly durationMs: number;
  readonly changes: number;
}

/** How long an operation takes from the moment when the process is ready, and how often the store changes meanwhile. */
async function rehearse(opened: OpenedStore, driver: DriverName, operation: Operation): Promise<Rehearsal> {
  await operation.prepare(opened);
  const child = await StoreProcess.start(opened.root, driver, operation.call);
  const start = performance.now();
  const changes = await child.endAtChange(watched(opened));
  expect(await child.end()).toBe(0);
  return { durationMs: performance.now() - start, changes };
}

function watched({ root, driver }: OpenedStore): string[] {
  const own = ["", "blobs/sha256", "containers", "ingest"].map((name) => join(root, name));
  return [...own, ...["names", "keys", "trash"].map((name) => join(driver.root, name))];
}

// As many rounds for whoever has one driver only.
it.each(drivers)(
  "a process killed at any moment leaves a good store under %s",
  async (driver) => {
    const seed = 20_240_203;
    const random = randomNumbers(seed);
    await using scratch = await Scratch.make();
    await using opened = await openStore(scratch.join("store"), driver);
    let killed = 0;
    for (const operation of await operations(scratch, opened)) {
      const { durationMs, changes } = await rehearse(opened, driver, operation);
      for (let round = 0; round < operation.rounds * (3 - drivers.length); round += 1) {
        await operation.prepare(opened);
        const child = await StoreProcess.start(opened.root, driver, operation.call);
        // By turns at any moment, and right after a change, where the moments are that matter most.
        const [afterMs, change] = [random() * durationMs, Math.ceil(random() * changes)];
        if (round % 2 === 0) await child.endAfter(afterMs);
        else await child.endAtChange(watched(opened), change);
        if (child.wasKilled) killed += 1;

        const moment =
          round % 2 === 0 ? `after ${afterMs.toFixed(1)} ms` : `at change ${change} of ${changes}`;
        const where = `${operation.name}, killed ${moment} (seed ${seed}, round ${round})`;
        expect(await opened.store.check(), where).toEqual([]);
        await opened.store.gc();
        expect(await unowned(opened), where).toEqual([]);
        await operation.repeat(opened);
        expect(await opened.store.check({ quick: true }), where).toEqual([]);
        expect(await unowned(opened), where).toEqual([]);
      }
    }
    // A kill that always comes too late would prove nothing.
    expect(killed).toBeGreaterThan(15);
  },
  900_000,
);
