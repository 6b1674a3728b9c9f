import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { expect, it } from "vitest";
import { imageOf } from "./support/image.ts";
import { loadImages } from "./support/load.ts";
import { drivers, openStore, Scratch } from "./support/store.ts";

const isRoot = drivers.includes("overlay2");

it.runIf(isRoot)("a removed tree that cannot be given back is in nobody's way but gc's", async () => {
  await using scratch = await Scratch.make();
  await using opened = await openStore(scratch.join("store"), "vfs");
  const { store } = opened;
  const image = await imageOf([{ "etc/": "", "etc/conf": "x" }]);
  await loadImages(scratch, opened, [{ image, tags: ["base:1"] }]);

  const stuck = await store.createContainer("base:1", { name: "stuck" });
  const tree = await store.mountContainer(stuck.id);
  mkdirSync(`${tree}/mnt`);
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", `${tree}/mnt`]);
  await store.unmountContainer(stuck.id);
  await store.removeContainer(stuck.id);

  const other = await store.createContainer("base:1", { name: "other" });
  await store.removeContainer(other.id);
  expect(await store.check()).toEqual([]);
  const [removal] = await store.removeImages(["base:1"]);
  expect(removal?.error).toBeUndefined();
  await expect(store.gc()).rejects.toMatchObject({ code: "Busy" });
});
