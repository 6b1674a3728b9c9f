import { writeFile } from "node:fs/promises";
import { docker25, type Named } from "./layouts.ts";
import type { OpenedStore, Scratch } from "./store.ts";
import { tarOf } from "./tar.ts";

/** Write images as an archive. @returns its path */
export async function archiveOf(scratch: Scratch, named: readonly Named[]): Promise<string> {
  const path = scratch.join(`archive-${Math.random().toString(36).slice(2)}.tar`);
  await writeFile(path, await tarOf(docker25(named)));
  return path;
}

/** Bring images into a store. */
export async function loadImages(
  scratch: Scratch,
  { store }: OpenedStore,
  named: readonly Named[],
): Promise<void> {
  await store.load(await archiveOf(scratch, named));
}
