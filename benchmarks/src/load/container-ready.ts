import { Scratch } from "@strata/conformance/suite";
import type { StorageDriver } from "@strata/core";
import { overlay2 } from "@strata/driver-overlay2";
import { Store } from "@strata/store";
import { Bench } from "tinybench";
import { dataset } from "../dataset/paths.ts";
import { fillSmallTree } from "./small-tree.ts";

export interface ReadyTime {
  readonly image: string;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly samples: number;
}

const small = "small:latest";

/** How long it takes, in process, until a writable tree on top of an image is mounted: a small one and a large one. */
export async function measureContainerReady(parent: string): Promise<ReadyTime[]> {
  await using scratch = new Scratch(parent);
  await using driver = await overlay2({ root: scratch.join("store", "driver"), durability: "none" });
  await using store = await Store.open({ root: scratch.join("store"), driver, durability: "none" });
  await store.import(fillSmallTree(scratch.join("small"), "the one file"), { reference: small });
  await store.load(dataset.archive);

  const bench = new Bench({ iterations: 200, time: 0, warmupIterations: 20 });
  for (const image of [small, dataset.reference]) addTask(bench, driver, image, await topOf(store, image));
  await bench.run();
  return bench.tasks.map(({ name, result }) => {
    if (result.state !== "completed") throw new Error(`${name}: measuring ended as ${result.state}`);
    const { p50, p99, samplesCount } = result.latency;
    return { image: name, medianMs: p50, p99Ms: p99, samples: samplesCount };
  });
}

function addTask(bench: Bench, driver: StorageDriver, image: string, parent: string): void {
  let key = 0;
  let close = async (): Promise<void> => {};
  bench.add(
    image,
    async () => {
      const snapshot = await driver.prepare(`ready-${key}`, parent);
      const mount = await snapshot.mount();
      close = () => mount.close();
    },
    {
      afterEach: async () => {
        await close();
        await driver.remove(`ready-${key++}`);
      },
    },
  );
}

/** The name of the snapshot that is an image's tree. */
async function topOf(store: Store, image: string): Promise<string> {
  const top = (await store.resolve(image)).chainIds.at(-1);
  if (top === undefined) throw new Error(`${image} has no layer`);
  return top;
}
