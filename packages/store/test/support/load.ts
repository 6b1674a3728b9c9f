import { writeFile } from "node:fs/promises";
import { compressors } from "./compress.ts";
import { imageOf, type TestImage } from "./image.ts";
import { docker25, type Named } from "./layouts.ts";
import type { OpenedStore, Scratch } from "./store.ts";
import { type Member, tarOf } from "./tar.ts";

/** An image of three layers, which change and delete what is below: {@link mixedTree} is what they give together. */
export async function mixedImage(): Promise<TestImage> {
  const layers = [
    { "etc/": "", "etc/os-release": "strata\n", "usr/bin/a": "a" },
    { "usr/bin/a": "a, changed", "usr/bin/gone": "x" },
    { "usr/share/b": "b", "usr/bin/.wh.gone": "" },
  ];
  return await imageOf(layers, { config: { Cmd: ["/usr/bin/a"], Labels: { tier: "test" } } });
}

export const mixedTree = { "etc/os-release": "strata\n", "usr/bin/a": "a, changed", "usr/share/b": "b" };

/** Write an archive by its members. @returns its path, which is the same each time */
export async function membersArchive(
  scratch: Scratch,
  members: readonly Member[],
  compression = "none",
): Promise<string> {
  const path = scratch.join("archive");
  await writeFile(path, compressors[compression]?.(await tarOf(members)) ?? "");
  return path;
}

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
