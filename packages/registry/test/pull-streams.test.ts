import { existsSync } from "node:fs";
import { join } from "node:path";
import { describeWith } from "@strata/conformance";
import { expect, it } from "vitest";
import { imageOf } from "../../store/test/support/image.ts";
import { Remote } from "../../store/test/support/remote.ts";
import { allDrivers, type OpenedStore } from "../../store/test/support/store.ts";
import { Pulling, random } from "./support/pulling.ts";

const files = [
  { first: "1", rest: random(2_000_000), last: "2" },
  { second: random(300_000) },
  { third: "3" },
  { fourth: "4" },
];

/** Whether a snapshot, finished or still being made, has a file by now. */
async function isUnpacked({ driver }: OpenedStore, name: string): Promise<boolean> {
  for await (const { id } of driver.list()) {
    const { dir } = (await driver.open(id)).layout();
    if (existsSync(join(dir, name))) return true;
  }
  return false;
}

describeWith("the layers of a pull", ["docker-registry"], () => {
  it.each(allDrivers)("are unpacked while they arrive, side by side, with %s", async (driver) => {
    await using room = await Pulling.start(driver);
    const remote = new Remote(await imageOf(files));
    await room.push(remote);
    const [layer = ""] = remote.layers;
    const size = remote.blobs.get(layer)?.length ?? 0;
    const has = (name: string) => isUnpacked(room.opened, name);
    let release = () => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    room.failBlob(layer, () => ({ kind: "hold", afterBytes: size - 1, until }));
    const pulling = room.pull();
    try {
      // All but the last byte of the first layer: what it holds is there, though nobody can know yet that it is right.
      await expect.poll(() => room.arrived(layer), { timeout: 60_000 }).toBe(size - 1);
      await expect.poll(() => has("first"), { timeout: 60_000 }).toBe(true);
      // Meanwhile the others come, and where the driver can, they are unpacked.
      await expect.poll(() => room.layersAsked(remote).length, { timeout: 60_000 }).toBe(4);
      const { rebase } = room.opened.driver.capabilities;
      if (rebase.supported) await expect.poll(() => has("second"), { timeout: 60_000 }).toBe(true);
      expect(await room.opened.store.images()).toEqual([]);
    } finally {
      release();
    }
    await pulling;
    await room.expectWhole(remote, Object.assign({}, ...files));
  });
});
