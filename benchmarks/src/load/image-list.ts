import { Scratch } from "@strata/conformance/suite";
import { vfs } from "@strata/driver-vfs";
import { Store } from "@strata/store";
import { run } from "../peers/command.ts";
import { strataCommand } from "./contenders.ts";
import type { Samples } from "./samples.ts";
import { fillSmallTree } from "./small-tree.ts";

const images = 200;
const rounds = 20;

/** How long `strata images` takes with 200 images, and a Node process that does nothing. */
export async function measureImageList(parent: string): Promise<{ ours: Samples; node: Samples }> {
  await using scratch = new Scratch(parent);
  const root = scratch.join("store");
  await fillStore(root, scratch.join("tree"));
  const ours: Samples = { name: `strata images, ${images} images`, milliseconds: [], peakBytes: [] };
  const node: Samples = { name: "node -e 0", milliseconds: [], peakBytes: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [samples, args] of [
      [ours, [strataCommand, "--root", root, "images"]],
      [node, ["-e", "0"]],
    ] as const) {
      const { milliseconds, peakBytes } = await run(process.execPath, args);
      samples.milliseconds.push(milliseconds);
      samples.peakBytes.push(peakBytes);
    }
  }
  return { ours, node };
}

async function fillStore(root: string, tree: string): Promise<void> {
  await using driver = await vfs({ root: `${root}/drivers/vfs`, durability: "none" });
  await using store = await Store.open({ root, driver, durability: "none" });
  for (let image = 0; image < images; image++) {
    await store.import(fillSmallTree(tree, `image ${image}`), { reference: `image-${image}:latest` });
  }
}
