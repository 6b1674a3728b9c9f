import { rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { describeWith } from "@strata/conformance";
import { findCurrent, type PulledImage } from "@strata/registry";
import { afterEach, expect, it } from "vitest";
import { editLayer } from "../../store/test/support/edit-layer.ts";
import { hex } from "../../store/test/support/image.ts";
import { mixedImage, mixedTree } from "../../store/test/support/load.ts";
import { Remote } from "../../store/test/support/remote.ts";
import { allDrivers } from "../../store/test/support/store.ts";
import { Pulling } from "./support/pulling.ts";

let room: Pulling;

afterEach(() => room[Symbol.asyncDispose]());

/** As the command does. @returns what was asked for */
async function pullIfNeeded(): Promise<{ pulled: PulledImage; log: readonly string[] }> {
  room.proxy.requests.length = 0;
  const found = await findCurrent(room.opened.root, room.registries, room.reference());
  const pulled = found ?? (await room.pull());
  return { pulled, log: [...room.proxy.log] };
}

const oneRequest = ["HEAD /v2/app/manifests/1"];

describeWith("a pull of what is here", ["docker-registry"], () => {
  it.each(allDrivers)("repairs it, if its files are damaged, with %s", async (driver) => {
    room = await Pulling.start(driver);
    const remote = new Remote(await mixedImage());
    await room.push(remote);
    await room.pull();
    const { store, root, driver: opened } = room.opened;
    const name = room.reference().toString();
    const [lowest = "", , top = ""] = (await store.resolve(name)).chainIds;
    await store.createContainer(name, { name: "above" });
    await store.mountContainer("above");
    expect((await pullIfNeeded()).log).toEqual(oneRequest);
    await store.unmountContainer("above");
    expect(await pullIfNeeded()).toMatchObject({ log: oneRequest, pulled: { isNew: false } });

    // Nothing but the manifest comes, as long as the blobs are good.
    await editLayer(opened, lowest, (dir) => truncate(join(dir, "etc/os-release")));
    const { pulled, log } = await pullIfNeeded();
    expect(log).toEqual(["GET /v2/app/manifests/1"]);
    expect(pulled.isNew).toBe(true);
    await room.expectWhole(remote, mixedTree);
    expect((await pullIfNeeded()).log).toEqual(oneRequest);

    await editLayer(opened, top, (dir) => rm(join(dir, "usr/share/b")));
    await truncate(join(root, "blobs/sha256", hex(remote.layers[2] ?? "")));
    await pullIfNeeded();
    expect(room.layersAsked(remote)).toEqual([{ layer: 2, from: 0 }]);
    await room.expectWhole(remote, mixedTree);
    expect((await pullIfNeeded()).log).toEqual(oneRequest);
  });
});
