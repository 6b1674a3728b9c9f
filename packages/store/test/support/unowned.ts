import { lstat, readdir, readlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { listContainers } from "@strata/store";
import { hex } from "./image.ts";
import type { OpenedStore } from "./store.ts";

/**
 * Everything under a store's root that neither an image nor a container accounts for, found by its own reading of the
 * disk: it does not ask gc what it thinks.
 */
export async function unowned({ root, store, driver }: OpenedStore): Promise<string[]> {
  const images = await store.images({ all: true });
  const containers = (await listContainers({ root })).map(({ id }) => id);
  const owned = new Set([
    "oci-layout",
    "index.json",
    "lock",
    "blobs",
    "blobs/sha256",
    "containers",
    "downloads",
    "ingest",
    "drivers",
  ]);
  const state = `drivers/${driver.name}`;
  for (const name of ["", "/lock", "/snapshots", "/names", "/keys", "/trash", "/driver"])
    owned.add(state + name);
  for (const id of containers) owned.add(`containers/${id}.json`).add(`${state}/keys/${id}`);
  // One image can be there as several manifests, each with a reference of its own.
  for (const name of images.flatMap(({ id, references }) => [id, ...references])) {
    const { id, digest, manifest, chainIds } = await store.resolve(name);
    for (const blob of [id, digest, ...manifest.layers.map((layer) => layer.digest)])
      owned.add(`blobs/sha256/${hex(blob)}`);
    for (const chain of chainIds) owned.add(`${state}/names/${chain}`);
  }
  for (const kind of ["names", "keys"]) {
    for (const name of await readdir(join(root, state, kind))) {
      const target = basename(await readlink(join(root, state, kind, name)));
      if (owned.has(`${state}/${kind}/${name}`)) owned.add(`${state}/snapshots/${target}`);
    }
  }
  const found: string[] = [];
  const visit = async (dir: string): Promise<void> => {
    for (const name of await readdir(join(root, dir))) {
      const path = dir === "" ? name : `${dir}/${name}`;
      if (!owned.has(path)) found.push(path);
      // What is in a snapshot is the driver's.
      else if (!path.startsWith(`${state}/snapshots/`) && (await lstat(join(root, path))).isDirectory())
        await visit(path);
    }
  };
  await visit("");
  return found.sort();
}
