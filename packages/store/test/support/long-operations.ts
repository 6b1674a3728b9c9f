import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "@strata/store";
import { imageOf, layerOf } from "./image.ts";
import { archiveOf } from "./load.ts";
import type { OpenedStore, Scratch } from "./store.ts";
import { tarOf } from "./tar.ts";

/** What takes a store a while, and is undone before it is done again. */
export interface LongOperation {
  readonly name: string;
  readonly work: (store: Store, signal?: AbortSignal) => Promise<unknown>;
  readonly undo: (opened: OpenedStore) => Promise<void>;
  /** Writes nothing: a full disk does not hold it up. @defaultValue false */
  readonly reads?: boolean;
}

/** Files that cannot be compressed, of so many bytes together. */
function randomFiles(layer: string, bytes: number): Record<string, string> {
  const count = 24;
  const text = () => randomBytes(bytes / count / 2).toString("hex");
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`${layer}/${n % 4}/${n}`, text()]));
}

/**
 * Put an image `base:1` and a container `web` with changes into a store.
 * @param archives - where the archives lie that are loaded
 * @param bytes - of a layer, about
 * @returns what can then be done with them
 */
export async function longOperations(
  archives: Scratch,
  opened: OpenedStore,
  bytes = 300_000,
): Promise<LongOperation[]> {
  const { store } = opened;
  const layers = await Promise.all(["base", "more"].map((name) => layerOf(randomFiles(name, bytes))));
  const base = await imageOf(layers);
  const other = await imageOf(
    [layers[0] ?? "", await layerOf(randomFiles("own", bytes))].filter(Buffer.isBuffer),
  );
  await store.load(await archiveOf(archives, [{ image: base, tags: ["base:1"] }]));
  const archive = await archiveOf(archives, [{ image: other, tags: ["other:1"] }]);
  const tar = archives.join("root.tar");
  await writeFile(
    tar,
    await tarOf(Object.entries(randomFiles("root", bytes)).map(([name, content]) => ({ name, content }))),
  );
  await store.createContainer("base:1", { name: "web" });
  const path = await store.mountContainer("web");
  for (const [name, content] of Object.entries(randomFiles("new", bytes))) {
    await mkdir(join(path, name, ".."), { recursive: true });
    await writeFile(join(path, name), content);
  }
  await store.unmountContainer("web");

  const nothing = async () => {};
  const removal = (reference: string) => async (from: OpenedStore) => {
    const [removed] = await from.store.removeImages([reference]);
    if (removed?.error && removed.error.code !== "NotFound") throw removed.error;
    await from.store.gc();
  };
  return [
    {
      name: "load",
      work: (s, signal) => s.load(archive, { ...(signal && { signal }) }),
      undo: removal("other:1"),
    },
    {
      name: "import",
      work: (s, signal) => s.import(tar, { reference: "imported:1", ...(signal && { signal }) }),
      undo: removal("imported:1"),
    },
    {
      name: "commit",
      work: (s, signal) => s.commit("web", { reference: "made:1", ...(signal && { signal }) }),
      undo: removal("made:1"),
    },
    {
      name: "create",
      work: (s, signal) => s.createContainer("base:1", { name: "second", ...(signal && { signal }) }),
      undo: async (from) => {
        const isThere = (await from.store.containers()).some(({ name }) => name === "second");
        if (isThere) await from.store.removeContainer("second");
      },
    },
    {
      name: "save",
      work: (s, signal) => drain(s.save(["base:1"], { ...(signal && { signal }) })),
      undo: nothing,
      reads: true,
    },
    {
      name: "export",
      work: (s, signal) => drain(s.exportContainer("web", { ...(signal && { signal }) })),
      undo: nothing,
    },
    {
      name: "diff",
      work: (s, signal) => drain(s.changes("web", { ...(signal && { signal }) })),
      undo: nothing,
      reads: true,
    },
    {
      name: "check",
      work: (s, signal) => s.check({ ...(signal && { signal }) }),
      undo: nothing,
    },
    {
      name: "repair",
      work: (s, signal) => s.repair({ ...(signal && { signal }) }),
      undo: nothing,
    },
    { name: "gc", work: (s, signal) => s.gc({ ...(signal && { signal }) }), undo: nothing, reads: true },
    {
      name: "usage",
      work: (s, signal) => s.usage({ ...(signal && { signal }) }),
      undo: nothing,
      reads: true,
    },
  ];
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const item of items) void item;
}
