import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { removeTree } from "@strata/core";
import type { Call } from "./child.ts";
import { editLayer } from "./edit-layer.ts";
import { type Files, hex, imageOf, layerOf, sha256 } from "./image.ts";
import { archiveOf } from "./load.ts";
import { Remote } from "./remote.ts";
import type { OpenedStore, Scratch } from "./store.ts";

/** Something that a process does with a store, and is killed in. */
export interface Operation {
  readonly name: string;
  /** Of a store of its own, which is not there yet. @defaultValue that which all share */
  readonly root?: string;
  /** Undo it, or whatever was left of it. */
  readonly prepare: (opened: OpenedStore) => Promise<void>;
  readonly call: Call;
  /** Do it, unless it is done. */
  readonly repeat: (opened: OpenedStore) => Promise<void>;
  /** Check finds something until it is repeated. @defaultValue false */
  readonly damaged?: boolean;
}

/** Put into a store what the operations work on: an image `base:1` and a container `web` with changes. */
export async function operations(scratch: Scratch, opened: OpenedStore): Promise<Operation[]> {
  const base = await imageOf([files("base")]);
  const other = await imageOf([
    files("base"),
    { ...files("own"), "base/.wh.0": "" },
    { "last/file": "last" },
  ]);
  const archive = await archiveOf(scratch, [{ image: other, tags: ["other:1"] }]);
  const tar = scratch.join("root.tar");
  await writeFile(tar, await layerOf(files("imported")));
  await opened.store.load(await archiveOf(scratch, [{ image: base, tags: ["base:1"] }]));
  await opened.store.createContainer("base:1", { name: "web" });
  const path = await opened.store.mountContainer("web");
  for (const [name, content] of Object.entries(files("new"))) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
  }
  await opened.store.unmountContainer("web");

  const load: Step = async ({ store }) => void (await store.load(archive));
  const commit = unlessThere("made:1", ({ store }) => store.commit("web", { reference: "made:1" }));
  const fresh = scratch.join("fresh");
  const remote = new Remote(other);
  await remote.write(scratch.join("remote"));
  const references = ["registry.test/other:1"];
  const spec = { directory: scratch.join("remote"), references, log: scratch.join("asked") };
  return [
    {
      name: "open",
      root: fresh,
      prepare: async () => void (await removeTree(fresh)),
      call: ["images"],
      repeat: async () => {},
    },
    { name: "load", prepare: removeImage("other:1"), call: ["load", archive], repeat: load },
    {
      name: "receive",
      prepare: async (into) => {
        await removeImage("registry.test/other:1")(into);
        await into.store.gc();
      },
      call: ["receive", spec],
      repeat: async ({ store }) => void (await store.receive([remote.as(references)])),
    },
    {
      name: "import",
      prepare: removeImage("imported:1"),
      call: ["import", tar, { reference: "imported:1" }],
      repeat: unlessThere("imported:1", ({ store }) => store.import(tar, { reference: "imported:1" })),
    },
    {
      name: "commit",
      prepare: removeImage("made:1"),
      call: ["commit", "web", { reference: "made:1" }],
      repeat: commit,
    },
    {
      name: "tag",
      prepare: removeImage("alias:1"),
      call: ["tag", "base:1", "alias:1"],
      repeat: ({ store }) => store.tag("base:1", "alias:1"),
    },
    { name: "save", prepare: async () => {}, call: ["save", ["base:1"]], repeat: save },
    {
      name: "create",
      prepare: remove,
      call: ["createContainer", "base:1", { name: "second" }],
      repeat: create,
    },
    {
      name: "rm",
      prepare: create,
      call: ["removeContainer", "second"],
      repeat: remove,
    },
    {
      name: "mount",
      prepare: unmount,
      call: ["mountContainer", "web"],
      repeat: async ({ store }) => void (await store.mountContainer("web")),
    },
    {
      name: "umount",
      prepare: async ({ store }) => void (await store.mountContainer("web")),
      call: ["unmountContainer", "web"],
      repeat: unmount,
    },
    { name: "gc", prepare: makeGarbage, call: ["gc"], repeat: async ({ store }) => void (await store.gc()) },
    { name: "rmi", prepare: load, call: ["removeImages", ["other:1"]], repeat: removeImage("other:1") },
    {
      name: "receive what is damaged",
      prepare: async (into) => {
        await unmount(into);
        await into.store.receive([remote.as(references)]);
        await damageLayers(into);
      },
      call: ["receive", spec],
      repeat: async ({ store }) => void (await store.receive([remote.as(references)])),
      damaged: true,
    },
    {
      name: "repair",
      prepare: async (opened) => {
        await load(opened);
        await commit(opened);
        await damage(opened);
      },
      call: ["repair"],
      repeat: async (opened) => {
        await opened.store.repair();
        await load(opened);
      },
      damaged: true,
    },
  ];
}

type Step = (opened: OpenedStore) => Promise<void>;

/** Some files of a layer. */
export function files(layer: string, count = 6): Files {
  return Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`${layer}/${n % 3}/${n}`, `${layer} ${n} `.repeat(200)]),
  );
}

function unlessThere(reference: string, make: (opened: OpenedStore) => Promise<unknown>): Step {
  return async (opened) => {
    const images = await opened.store.images();
    const isThere = images.some(({ references }) => references.some((name) => name.endsWith(reference)));
    if (!isThere) await make(opened);
  };
}

function removeImage(reference: string): Step {
  return async ({ store }) => {
    const [removal] = await store.removeImages([reference]);
    if (removal?.error && removal.error.code !== "NotFound") throw removal.error;
  };
}

const save: Step = async ({ store }) => {
  for await (const chunk of store.save(["base:1"])) void chunk;
};

async function create({ store }: OpenedStore): Promise<void> {
  const isThere = (await store.containers()).some(({ name }) => name === "second");
  if (!isThere) await store.createContainer("base:1", { name: "second" });
}

async function remove({ store }: OpenedStore): Promise<void> {
  const isThere = (await store.containers()).some(({ name }) => name === "second");
  if (isThere) await store.removeContainer("second");
}

async function unmount({ store }: OpenedStore): Promise<void> {
  const [container] = (await store.containers()).filter(({ name }) => name === "web");
  if (container?.mountedAt !== undefined) await store.unmountContainer("web");
}

/** All that gc looks for, as killed processes and power cuts leave it. */
async function makeGarbage({ root, store, driver }: OpenedStore): Promise<void> {
  const top = (await store.resolve("base:1")).chainIds.at(-1);
  const web = await store.container("web");
  const [staging, torn] = ["0123456789abcdef", "fedcba9876543210"];
  // A note that is older than the container's record.
  const holds = { driver: driver.name, chains: [], actives: [`ingest-${staging}-0`, web.id] };
  for (const [path, content] of [
    [`blobs/sha256/${hex(sha256("nobody's"))}`, "nobody's"],
    ["containers/container.json.tmp", "{"],
    ["index.json.tmp", "{"],
    [`downloads/${hex(sha256("interrupted"))}`, "interr"],
    [`ingest/${staging}/owner`, ""],
    [`ingest/${staging}/holds.json`, JSON.stringify(holds)],
    [`ingest/${staging}/1`, "a blob"],
    [`ingest/${torn}/owner`, ""],
    [`ingest/${torn}/holds.json`, ""],
  ] as const) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  for (const key of [`ingest-${staging}-0`, "f".repeat(64), "removed"]) await driver.prepare(key, top);
  await driver.remove("removed");
  const damaged = await driver.prepare(`ingest-${torn}-0`, top);
  await truncate(join(dirname(damaged.layout().dir), "snapshot.json"));
  const layer = await driver.prepare("layer", top);
  await layer.commit(sha256("a layer of no image"));
}

/** A layer with a file too many, and one below it without any file. */
async function damageLayers({ root, store, driver }: OpenedStore): Promise<void> {
  const [lowest, middle] = (await store.resolve("registry.test/other:1")).chainIds;
  if (!lowest || !middle) throw new Error("the image lacks layers");
  await editLayer(driver, middle, (dir) => writeFile(join(dir, "own/0/new"), "damaged"));
  await editLayer(driver, lowest, (dir) => rename(dir, join(dirname(root), `lost-${randomUUID()}`)));
}

/** A file of a layer, the blob of a layer that can be made anew, and that of one that must be loaded again. */
async function damage({ root, store, driver }: OpenedStore): Promise<void> {
  const [, , top] = (await store.resolve("other:1")).manifest.layers;
  const [, chain] = (await store.resolve("other:1")).chainIds;
  const made = (await store.resolve("made:1")).manifest.layers.at(-1);
  if (!top || !made || !chain) throw new Error("an image lacks layers");
  await editLayer(driver, chain, (dir) => writeFile(join(dir, "own/0/3"), "damaged"));
  for (const { digest } of [top, made]) {
    const path = join(root, "blobs/sha256", hex(digest));
    await writeFile(path, (await readFile(path)).fill(0));
  }
}
