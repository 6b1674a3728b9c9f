import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { digestOf } from "@strata/core";
import { vfs } from "@strata/driver-vfs";
import { Store } from "@strata/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  artifact,
  bytesOf,
  descriptorOf,
  pushImage,
  type SampleImage,
  sampleImage,
  types,
} from "./support/sample.ts";
import { ServedStore } from "./support/served-store.ts";

let served: ServedStore;

beforeEach(async () => {
  served = await ServedStore.start();
});

afterEach(async () => {
  await served[Symbol.asyncDispose]();
});

const foreign = { architecture: "s390x" };
const names = async (): Promise<string[][]> =>
  (await served.store.images()).map(({ references, repoDigests }) => [...references, ...repoDigests]);
const status = async (path: string): Promise<number> => (await served.client.get(`/v2/${path}`)).status;
const blobs = (): string[] => readdirSync(`${served.store.root}/blobs/sha256`).sort();
const pathOf = (digest: string): string => `${served.store.root}/blobs/sha256/${digest.slice(7)}`;
const hexes = (...contents: (Uint8Array | object)[]): string[] =>
  contents
    .map((content) => digestOf(content instanceof Uint8Array ? content : bytesOf(content)).slice(7))
    .sort();

const indexOf = (...images: readonly SampleImage[]) => ({
  schemaVersion: 2,
  mediaType: types.index,
  manifests: images.map(({ manifest }) => descriptorOf(types.manifest, manifest)),
});

async function fileOf(image: string, path: string): Promise<string> {
  const { id } = await served.store.createContainer(image);
  const content = readFileSync(`${await served.store.mountContainer(id)}/${path}`, "utf8");
  await served.store.unmountContainer(id);
  await served.store.removeContainer(id);
  return content;
}

describe("an image that was pushed", () => {
  it("is one of the store's, unpacked when it is needed", async () => {
    const image = await sampleImage({ files: { "etc/hello": "from afar" } });
    await pushImage(served.client, "team/app", "1", image);
    const before = await served.store.images();
    expect(before).toMatchObject([
      {
        id: image.id,
        digest: image.digest,
        references: ["docker.io/team/app:1"],
        size: image.layer.length,
      },
    ]);
    expect((await served.store.usage()).images.count).toBe(1);
    expect(await fileOf("team/app:1", "etc/hello")).toBe("from afar");
    expect((await served.store.images()).map(({ size }) => size)).toEqual(["from afar".length]);
    expect((await served.store.history("team/app:1")).map(({ size }) => size)).toEqual(["from afar".length]);
  });

  it("is one under a tag, whatever it runs on; by its digest, if it runs here", async () => {
    const [here, tagged, child] = await Promise.all([
      sampleImage({ files: { a: "here" } }),
      sampleImage({ files: { a: "tagged" }, ...foreign }),
      sampleImage({ files: { a: "child" }, ...foreign }),
    ]);
    await pushImage(served.client, "one", "digest", here);
    await pushImage(served.client, "two", "1", tagged);
    await pushImage(served.client, "three", "digest", child);
    expect((await names()).sort()).toEqual([
      [`docker.io/library/one@${here.digest}`],
      ["docker.io/library/two:1", `docker.io/library/two@${tagged.digest}`],
    ]);
    expect(await status(`three/manifests/${child.digest}`)).toBe(200);
  });

  it("takes the tag of another, which stays by its digest", async () => {
    const [old, young] = await Promise.all([
      sampleImage({ files: { a: "old" } }),
      sampleImage({ files: { a: "young" } }),
    ]);
    await pushImage(served.client, "app", "1", old);
    await pushImage(served.client, "app", "1", young);
    expect(await fileOf("app:1", "a")).toBe("young");
    expect(await fileOf(`app@${old.digest}`, "a")).toBe("old");
    expect(await status(`app/manifests/${old.digest}`)).toBe(200);
    expect(await served.store.removeImages([`app@${old.digest}`])).toMatchObject([
      { reference: `app@${old.digest}` },
    ]);
    expect(await status(`app/manifests/${old.digest}`)).toBe(404);
  });

  it("stays for those who pull an index that names it, when it is removed here", async () => {
    const [here, there] = [await sampleImage({ files: { a: "here" } }), await sampleImage(foreign)];
    for (const image of [here, there]) await pushImage(served.client, "app", "digest", image);
    const index = indexOf(here, there);
    await served.client.putManifest("app", "1", index);
    await pushImage(served.client, "elsewhere", "digest", here);
    await served.store.removeImages([here.id.slice(7)], { force: true });
    expect(await names()).toEqual([]);
    await served.store.gc();
    expect(await status("app/manifests/1")).toBe(200);
    expect(await status(`app/manifests/${here.digest}`)).toBe(200);
    expect(await status(`app/blobs/${digestOf(here.layer)}`)).toBe(200);
    expect(await status(`elsewhere/manifests/${here.digest}`)).toBe(404);
    await served.client.ask("DELETE", `/v2/app/manifests/${digestOf(bytesOf(index))}`);
    await served.client.ask("DELETE", `/v2/app/manifests/${here.digest}`);
    await served.client.ask("DELETE", `/v2/app/manifests/${there.digest}`);
    await served.store.gc();
    expect(blobs()).toEqual([]);
  });

  it.each<[string, (other: string) => Promise<unknown>]>([
    ["given to another", (other) => served.store.tag(other, "app:1-here")],
    ["taken by an import", () => served.store.import("/etc/alternatives", { reference: "app:1-here" })],
  ])("stays for those who pull an index that names it, when its tag is %s", async (_how, move) => {
    const [here, there, other] = await Promise.all([
      sampleImage({ files: { a: "here" } }),
      sampleImage({ files: { a: "there" }, ...foreign }),
      sampleImage({ files: { a: "other" } }),
    ]);
    await pushImage(served.client, "app", "1-here", here);
    await pushImage(served.client, "app", "1-there", there);
    await served.client.putManifest("app", "1", indexOf(here, there));
    await pushImage(served.client, "other", "1", other);
    await move("other:1");
    const isWhole = async () => {
      expect(await status(`app/manifests/${here.digest}`)).toBe(200);
      expect(await status(`app/blobs/${digestOf(here.layer)}`)).toBe(200);
    };
    await isWhole();
    await served.store.removeImages([here.id.slice(7)]);
    await served.store.gc();
    await isWhole();
    expect((await served.store.removeImages(["app:1"]))[0]?.events).toContainEqual({ deleted: here.digest });
    expect(await status(`app/manifests/${here.digest}`)).toBe(404);
    expect(await served.store.check()).toEqual([]);
  });

  it("goes with its index by rmi, if it is none of the store's, and nothing else names it", async () => {
    const [here, there, shared] = await Promise.all([
      sampleImage({ files: { a: "here" } }),
      sampleImage({ files: { a: "there" }, ...foreign }),
      sampleImage({ files: { a: "shared" }, ...foreign }),
    ]);
    for (const image of [here, there, shared]) await pushImage(served.client, "app", "digest", image);
    const [first, second] = [indexOf(here, there, shared), indexOf(shared)];
    const digest = digestOf(bytesOf(first));
    await served.client.putManifest("app", "1", first);
    await served.client.putManifest("app", "2", first);
    await served.client.putManifest("app", "other", second);
    const rmi = async (name: string) => (await served.store.removeImages([name]))[0]?.events;
    expect(await rmi("app:1")).toEqual([{ untagged: "app:1" }]);
    expect(await status(`app/manifests/${digest}`)).toBe(200);
    expect(await rmi("app:2")).toEqual([
      { untagged: "app:2" },
      { deleted: digest },
      { deleted: there.digest },
    ]);
    expect(await status(`app/manifests/${there.digest}`)).toBe(404);
    expect(await status(`app/manifests/${shared.digest}`)).toBe(200);
    expect(await names()).toEqual([[`docker.io/library/app@${here.digest}`]]);
    const kept = [here, shared].flatMap(({ layer, config, manifest }) => [layer, config, manifest]);
    expect(blobs()).toEqual(hexes(...kept, second));
    await rmi(`app@${digestOf(bytesOf(second))}`);
    await rmi(here.id.slice(7));
    expect(blobs()).toEqual([]);
    expect(await served.store.removeImages(["app:other", "f".repeat(64)])).toMatchObject(
      Array(2).fill({ events: [], error: { code: "NotFound" } }),
    );
  });

  it("by digest and then by tag has one name, which rmi takes with all the rest", async () => {
    const image = await sampleImage();
    await pushImage(served.client, "app", "digest", image);
    await pushImage(served.client, "app", "1", image);
    await served.store.removeImages(["app:1"]);
    expect(await names()).toEqual([]);
    expect(blobs()).toEqual([]);
    expect(await status("app/tags/list")).toBe(404);
  });

  it("can be saved, checked, collected around, and committed on", async () => {
    await pushImage(served.client, "app", "1", await sampleImage());
    expect(await served.store.check()).toEqual([]);
    await served.store.gc();
    const container = await served.store.createContainer("app:1");
    await served.store.commit(container.id, { reference: "app:2", changes: ["ENV A=b"] });
    await served.store.removeContainer(container.id);
    const saved: Buffer[] = [];
    for await (const chunk of served.store.save(["app"])) saved.push(chunk);
    expect(Buffer.concat(saved).length).toBeGreaterThan(0);
    expect(await served.client.json("/v2/app/tags/list")).toMatchObject({ tags: ["1", "2"] });
    expect(await served.store.check()).toEqual([]);
  });

  it("whose config tells of other layers than the manifest is kept, but is no image here", async () => {
    const image = await sampleImage();
    await pushImage(served.client, "app", "1", image);
    const config = bytesOf({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } });
    await served.client.pushBlob("odd", config);
    const manifest = { ...image.manifest, config: descriptorOf(types.config, config) };
    expect((await served.client.putManifest("odd", "1", manifest)).status).toBe(201);
    expect(await names()).toHaveLength(1);
    await served.store.gc();
    expect(await status(`odd/blobs/${digestOf(config)}`)).toBe(200);
    expect(await served.store.check()).toEqual([]);
  });
});

describe("what is no image", () => {
  it("is in nobody's way, and is kept with all that it leads to, until it is deleted", async () => {
    const images = await Promise.all([
      sampleImage({ files: { a: "one" }, ...foreign }),
      sampleImage({ files: { a: "two" }, architecture: "ppc64le" }),
    ]);
    for (const image of images) await pushImage(served.client, "app", "digest", image);
    const index = indexOf(...images);
    await served.client.putManifest("app", "1", index);
    await served.client.pushBlob("app", Buffer.from("{}"));
    const signature = artifact("example/signature", descriptorOf(types.index, index));
    await served.client.putManifest("app", digestOf(bytesOf(signature)), signature);

    expect(await names()).toEqual([]);
    await expect(served.store.resolve("app:1")).rejects.toMatchObject({ code: "NotFound" });
    await served.store.gc();
    expect(await served.store.check()).toEqual([]);
    const contents = images.flatMap(({ layer, config, manifest }) => [layer, config, manifest]);
    expect(blobs()).toEqual(hexes(...contents, index, signature, Buffer.from("{}")));

    // The children stay of their own: they have been pushed by digest.
    await served.client.ask("DELETE", `/v2/app/manifests/${digestOf(bytesOf(index))}`);
    for (const { digest } of images) await served.client.ask("DELETE", `/v2/app/manifests/${digest}`);
    await served.store.gc();
    expect(blobs()).toEqual(hexes(signature, Buffer.from("{}")));
  });

  it("is only untagged by rmi as long as an index names it, and goes with that", async () => {
    await served.client.pushBlob("app", Buffer.from("{}"));
    const note = artifact("example/note");
    const digest = digestOf(bytesOf(note));
    await served.client.putManifest("app", "note", note);
    await served.client.putManifest("app", "note-too", note);
    const index = { ...indexOf(), manifests: [descriptorOf(types.manifest, note)] };
    await served.client.putManifest("app", "1", index);
    const rmi = async (...of: string[]) =>
      (await served.store.removeImages(of)).map(({ events, error }) => error?.code ?? events);
    expect(await rmi("app:note", "app:note-too")).toEqual([
      [{ untagged: "app:note" }],
      [{ untagged: "app:note-too" }],
    ]);
    await served.client.putManifest("app", "note", note);
    expect(await rmi(`app@${digest}`)).toEqual([[{ untagged: "app:note" }]]);
    // Nobody has a name for it now, only the index has.
    expect(await rmi(`app@${digest}`)).toEqual(["NotFound"]);
    expect(await status(`app/manifests/${digest}`)).toBe(200);
    expect(await rmi("app:1")).toEqual([
      [{ untagged: "app:1" }, { deleted: digestOf(bytesOf(index)) }, { deleted: digest }],
    ]);
    expect(blobs()).toEqual([]);
  });

  it("can be removed damaged", async () => {
    await served.client.putManifest("app", "1", indexOf());
    const digest = digestOf(bytesOf(indexOf()));
    truncateSync(pathOf(digest));
    expect(await served.store.removeImages(["app:1"])).toEqual([
      { reference: "app:1", events: [{ untagged: "app:1" }, { deleted: digest }] },
    ]);
    expect(blobs()).toEqual([]);
  });

  it("is reported as removed, even if a damaged image leaves its blobs to gc", async () => {
    const [image, damaged] = [await sampleImage(), await sampleImage({ files: { a: "damaged" } })];
    await pushImage(served.client, "image", "1", image);
    await pushImage(served.client, "damaged", "1", damaged);
    await served.client.putManifest("app", "1", indexOf());
    truncateSync(pathOf(damaged.id));
    const removals = await served.store.removeImages(["image:1", "app:1"]);
    expect(removals.map(({ events }) => events.at(-1))).toEqual([
      { deleted: image.id },
      { deleted: digestOf(bytesOf(indexOf())) },
    ]);
    // Nobody knows what the damaged one needs: nothing is lost for it.
    await expect(served.store.gc()).rejects.toMatchObject({ code: "Corrupt" });
    expect(blobs()).toEqual(expect.arrayContaining(hexes(damaged.layer, image.layer)));
    await served.store.removeImages(["damaged:1"]);
    await served.store.gc();
    expect(blobs()).toEqual([]);
  });

  it("keeps all blobs while it is damaged, since nobody knows which it needs", async () => {
    const image = await sampleImage();
    await pushImage(served.client, "image", "1", image);
    await served.client.putManifest("app", "1", indexOf());
    truncateSync(pathOf(digestOf(bytesOf(indexOf()))));
    await served.store.removeImages(["image:1"]);
    expect(blobs()).toEqual(expect.arrayContaining(hexes(image.layer)));
  });

  it("is not said to be deleted where it goes with its index, but an image has it", async () => {
    const image = await sampleImage();
    await pushImage(served.client, "app", "1-here", image);
    await served.client.putManifest("app", "1", indexOf(image));
    await served.store.import("/etc/alternatives", { reference: "app:1-here" });
    expect((await served.store.removeImages(["app:1"]))[0]?.events).toEqual([
      { untagged: "app:1" },
      { deleted: digestOf(bytesOf(indexOf(image))) },
    ]);
    expect(await served.store.resolve(image.id)).toMatchObject({ digest: image.digest });
  });

  it("loses its tag to an image that gets it, and takes it back", async () => {
    await served.client.pushBlob("app", Buffer.from("{}"));
    const document = artifact("example/one");
    const digest = digestOf(bytesOf(document));
    await served.client.putManifest("app", "1", document);
    const image = await sampleImage();
    await pushImage(served.client, "other", "1", image);
    await served.store.tag("other:1", "app:1");
    const byTag = async () =>
      (await served.client.get("/v2/app/manifests/1")).headers["docker-content-digest"];
    expect(await byTag()).toBe(image.digest);
    expect(await status(`app/manifests/${digest}`)).toBe(200);
    expect(await served.client.json("/v2/app/tags/list")).toMatchObject({ tags: ["1"] });

    await served.client.putManifest("app", "1", document);
    expect(await byTag()).toBe(digest);
    expect((await names()).flat()).toContain(`docker.io/library/app@${image.digest}`);
  });

  it("is left out when the store is loaded as a layout", async () => {
    const image = await sampleImage();
    await pushImage(served.client, "app", "1", image);
    await served.client.pushBlob("app", Buffer.from("{}"));
    await served.client.putManifest("app", "note", artifact("example/one"));
    const root = served.scratch.join("second");
    await using driver = await vfs({ root: `${root}/drivers/vfs`, durability: "none" });
    await using second = await Store.open({ root, driver, durability: "none" });
    expect(await second.load(served.store.root)).toMatchObject([{ id: image.id }]);
  });
});

describe("an image of the store", () => {
  it("can be pulled under its familiar names", async () => {
    await served.store.import("/etc/alternatives", { reference: "debian:12" });
    await served.store.tag("debian:12", "team/app:1");
    await served.store.tag("debian:12", "quay.io/x/y:2");
    await served.store.tag("debian:12", "localhost:5000/here:3");
    expect(await served.client.json("/v2/_catalog")).toEqual({
      repositories: ["debian", "localhost:5000/here", "quay.io/x/y", "team/app"],
    });
    for (const path of [
      "debian/manifests/12",
      "library/debian/manifests/12",
      "team/app/manifests/1",
      "quay.io/x/y/manifests/2",
    ])
      expect(await status(path), path).toBe(200);
    expect(await status("app/manifests/1")).toBe(404);
    const { digest } = await served.store.resolve("debian:12");
    expect(await status(`debian/manifests/${digest}`)).toBe(200);
    expect(await served.client.json("/v2/library/debian/tags/list")).toEqual({
      name: "library/debian",
      tags: ["12"],
    });
    await served.store.removeImages(["debian:12"]);
    expect(await status("debian/manifests/12")).toBe(404);
  });

  it("with a container stays without a name when it is deleted from its repository", async () => {
    const image = await sampleImage();
    await pushImage(served.client, "app", "1", image);
    const container = await served.store.createContainer("app:1");
    await served.client.ask("DELETE", `/v2/app/manifests/${image.digest}`);
    expect(await status(`app/manifests/${image.digest}`)).toBe(404);
    expect(await served.store.images()).toMatchObject([{ id: image.id, references: [], repoDigests: [] }]);
    await served.store.gc();
    await served.store.commit(container.id);
    expect(await served.store.check()).toEqual([]);
  });

  it("is gone when it is deleted from its only repository; gc gives its space back", async () => {
    const image = await sampleImage();
    await pushImage(served.client, "app", "1", image);
    await served.store.tag("app:1", "other:1");
    await served.client.ask("DELETE", `/v2/app/manifests/${image.digest}`);
    expect((await names()).flat()).toContain("docker.io/library/other:1");
    await served.client.ask("DELETE", `/v2/other/manifests/${image.digest}`);
    expect(await names()).toEqual([]);
    await served.store.gc();
    expect(blobs()).toEqual([]);
  });

  it("is never served damaged: a manifest that is not what it was is the server's trouble", async () => {
    const image = await sampleImage();
    await pushImage(served.client, "app", "1", image);
    const path = pathOf(image.digest);
    writeFileSync(path, readFileSync(path, "utf8").replace("linux", "xunil").replace("layers", "sreyal"));
    const answer = await served.client.get("/v2/app/manifests/1");
    expect(answer.status).toBe(500);
    expect(answer.body.toString()).not.toContain(served.store.root);
    expect(served.errors).toMatchObject([{ code: "Corrupt" }]);
  });
});
