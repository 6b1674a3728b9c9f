import { describeWith } from "@strata/conformance";
import { digestOf, isDigest } from "@strata/core";
import { allTags, findCurrent, type PulledImage, pull } from "@strata/registry";
import { hostPlatform } from "@strata/store";
import { afterEach, beforeEach, expect, it } from "vitest";
import { imageOf, sha256 } from "../../store/test/support/image.ts";
import { descriptorOf } from "../../store/test/support/layouts.ts";
import { mixedImage, mixedTree } from "../../store/test/support/load.ts";
import { Remote } from "../../store/test/support/remote.ts";
import { allDrivers, drivers, treeOf } from "../../store/test/support/store.ts";
import { Pulling, random } from "./support/pulling.ts";
import { listOf, pushSample } from "./support/sample.ts";

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";

const own = { os: "linux", architecture: hostPlatform().architecture };
const other = { os: "linux", architecture: own.architecture === "s390x" ? "amd64" : "s390x" };
const otherText = `linux/${other.architecture}`;

let room: Pulling;

afterEach(() => room[Symbol.asyncDispose]());

async function find(name = "app:1", platform?: string): Promise<PulledImage | undefined> {
  const { opened, registries } = room;
  return await findCurrent(opened.root, registries, room.reference(name), platform ? { platform } : {});
}

function indexOf(...manifests: object[]): Buffer {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }));
}

describeWith("a pull from docker-registry", ["docker-registry"], () => {
  it.each(allDrivers)("brings an image in under its own digests, with %s", async (driver) => {
    room = await Pulling.start(driver);
    const remote = new Remote(await mixedImage());
    await room.push(remote);
    expect(await find()).toBeUndefined();
    const pulled = await room.pull();
    expect(pulled).toEqual({
      reference: `${room.server.host}/app:1`,
      id: remote.image.id,
      digest: sha256(remote.manifest),
      isNew: true,
    });
    await room.expectWhole(remote, mixedTree);

    room.proxy.requests.length = 0;
    expect(await find()).toEqual({ ...pulled, isNew: false });
    expect(room.proxy.log).toEqual(["HEAD /v2/app/manifests/1"]);
    expect(await room.pull()).toEqual({ ...pulled, isNew: false });
    expect(room.proxy.log).toEqual(["HEAD /v2/app/manifests/1", "GET /v2/app/manifests/1"]);
  });
});

describeWith("a look at what is current", ["docker-registry"], () => {
  it("leaves it to the pull where HEAD is refused, and fails where the registry is in trouble", async () => {
    room = await Pulling.start();
    const remote = new Remote(await imageOf([{ a: "a" }]));
    await room.push(remote);
    const pulled = await room.pull();
    const refuse = (status: number) => {
      room.proxy.fault = ({ method }) => (method === "HEAD" ? { kind: "answer", status } : undefined);
    };
    for (const status of [400, 401, 403, 405]) {
      refuse(status);
      expect(await find()).toBeUndefined();
      expect(await room.pull()).toEqual({ ...pulled, isNew: false });
    }
    for (const status of [408, 429, 500]) {
      refuse(status);
      await expect(find()).rejects.toThrow(`answers ${status}`);
    }
  });
});

describeWith("a pull of two hundred layers", ["docker-registry"], () => {
  it("downloads each once, and node has nothing to warn of", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on("warning", note);
    try {
      room = await Pulling.start(drivers[0]);
      const files = Array.from({ length: 200 }, (_, n) => ({ [`f${n}`]: `${n}` }));
      const remote = new Remote(await imageOf(files));
      await room.push(remote);
      await room.pull("app:1", { downloads: 8, signal: new AbortController().signal });
      expect(await treeOf(room.opened, room.reference().toString())).toEqual(Object.assign({}, ...files));
      const asked = room.layersAsked(remote).toSorted((a, b) => a.layer - b.layer);
      expect(asked).toEqual(files.map((_, layer) => ({ layer, from: 0 })));
      expect(warnings).toEqual([]);
    } finally {
      process.off("warning", note);
    }
  });
});

describeWith("a pull", ["docker-registry"], () => {
  beforeEach(async () => {
    room = await Pulling.start();
  });

  it("asks only for the layers that the store does not have", async () => {
    const base = { base: random(5000) };
    const first = new Remote(await imageOf([base, { own: "first" }]));
    const second = new Remote(await imageOf([base, { own: "second" }]));
    await room.push(first, "one:1");
    await room.push(second, "two:1");
    await room.pull("one:1");
    room.proxy.requests.length = 0;
    const told: string[] = [];
    await room.pull("two:1", {
      onProgress: (event) => {
        if (event.kind === "layer" && event.status === "exists") told.push(event.label);
      },
    });
    const [, layer = ""] = second.layers;
    expect(room.proxy.log).toEqual([
      "GET /v2/two/manifests/1",
      `GET /v2/two/blobs/${second.image.id}`,
      `GET /v2/two/blobs/${layer}`,
    ]);
    expect(told).toEqual([first.layers[0]?.slice(7, 19)]);
  });

  it("by digest asks for nothing once the image is there, and leaves a tag beside the digest out", async () => {
    const remote = new Remote(await mixedImage());
    await room.push(remote);
    const digest = digestOf(remote.manifest);
    const reference = `${room.server.host}/app@${digest}`;
    for (const name of [`app@${digest}`, `app:no-such-tag@${digest}`]) {
      expect(await room.pull(name)).toMatchObject({ reference, id: remote.image.id, digest });
      room.proxy.requests.length = 0;
      expect(await find(name)).toEqual({ reference, id: remote.image.id, digest, isNew: false });
      expect(room.proxy.log).toEqual([]);
    }
    const images = await room.opened.store.images();
    expect(images).toMatchObject([{ references: [], repoDigests: [reference] }]);
  });

  it("takes the host's image of an index, or the one that is wanted", async () => {
    const mine = new Remote(await imageOf([{ who: "mine" }]));
    const theirs = new Remote(await imageOf([{ who: "theirs" }], { platform: other }));
    for (const remote of [mine, theirs]) {
      await room.pushBlobs(remote);
      await room.pushManifest(remote.manifest, manifestType, `app@${sha256(remote.manifest)}`);
    }
    const index = indexOf(
      { ...descriptorOf(theirs.manifest, manifestType), platform: other },
      { ...descriptorOf(mine.manifest, manifestType), platform: own },
    );
    await room.pushManifest(index, indexType);
    expect(await room.pull()).toMatchObject({ id: mine.image.id, digest: digestOf(index), isNew: true });
    expect(await find()).toMatchObject({ id: mine.image.id, digest: digestOf(index) });
    expect(await find("app:1", otherText)).toBeUndefined();

    expect(await room.pull("app:1", { platform: otherText })).toMatchObject({ id: theirs.image.id });
    expect(await find()).toBeUndefined();
    expect(await find("app:1", otherText)).toMatchObject({ id: theirs.image.id });
    await room.expectWhole(theirs, { who: "theirs" });

    await expect(room.pull("app:1", { platform: "linux/riscv64" })).rejects.toMatchObject({
      code: "NotFound",
      message: "no matching manifest for linux/riscv64 in the manifest list entries",
    });
    expect(await find(`app@${digestOf(index)}`)).toBeUndefined();
    expect(await room.pull(`app@${digestOf(index)}`)).toMatchObject({ id: mine.image.id });
    expect(await find(`app@${digestOf(index)}`)).toMatchObject({ id: mine.image.id });
  });

  it("finds its way through an index in an index", async () => {
    const remote = new Remote(await mixedImage());
    await room.pushBlobs(remote);
    await room.pushManifest(remote.manifest, manifestType, `app@${sha256(remote.manifest)}`);
    const inner = indexOf({ ...descriptorOf(remote.manifest, manifestType), platform: own });
    await room.pushManifest(inner, indexType, `app@${sha256(inner)}`);
    const outer = indexOf(descriptorOf(inner, indexType));
    await room.pushManifest(outer, indexType);
    expect(await room.pull()).toMatchObject({ id: remote.image.id, digest: digestOf(outer) });
    await room.expectWhole(remote, mixedTree);
    expect(await find()).toMatchObject({ digest: digestOf(outer) });
  });

  it("takes what docker pushes: a list, a manifest, layers in its own types", async () => {
    const remote = new Remote(await mixedImage());
    const docker = "application/vnd.docker.distribution.manifest";
    const bytes = Buffer.from(
      String(remote.manifest)
        .replaceAll(
          "application/vnd.oci.image.layer.v1.tar+gzip",
          "application/vnd.docker.image.rootfs.diff.tar.gzip",
        )
        .replace("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
        .replace(manifestType, `${docker}.v2+json`),
    );
    await room.pushBlobs(remote);
    await room.pushManifest(bytes, `${docker}.v2+json`, `app@${sha256(bytes)}`);
    const list = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: `${docker}.list.v2+json`,
        manifests: [{ ...descriptorOf(bytes, `${docker}.v2+json`), platform: own }],
      }),
    );
    await room.pushManifest(list, `${docker}.list.v2+json`);
    expect(await room.pull()).toMatchObject({ id: remote.image.id, digest: digestOf(list) });
    const { digest, manifestBytes } = await room.opened.store.resolve(room.reference().toString());
    expect(digest).toBe(sha256(bytes));
    expect(manifestBytes.equals(bytes)).toBe(true);
    await room.expectSound();
  });

  it("takes an image of another platform where it is the only one, unless another is wanted", async () => {
    const remote = new Remote(await imageOf([{ who: "theirs" }], { platform: other }));
    await room.push(remote);
    await expect(room.pull("app:1", { platform: `linux/${own.architecture}` })).rejects.toMatchObject({
      code: "NotFound",
    });
    expect(await room.opened.store.images()).toEqual([]);
    await room.pull();
    await room.expectWhole(remote, { who: "theirs" });
    expect(await find()).toMatchObject({ id: remote.image.id });
    await room.pull("app:1", { platform: otherText });
  });

  it("is of one image, though its tag moves meanwhile", async () => {
    const before = new Remote(await imageOf([{ a: "before" }, { b: random(2000) }]));
    const after = new Remote(await imageOf([{ a: "after" }, { b: random(2000) }]));
    await room.push(before);
    await room.pushBlobs(after);
    let moved: Promise<void> | undefined;
    // Between the HEAD and the GET, and between the GET and the blobs.
    room.proxy.fault = ({ method, url }) => {
      const isMoment = moved === undefined && url.includes("/blobs/") && method === "GET";
      if (isMoment) moved = room.pushManifest(after.manifest, manifestType);
      return moved && { kind: "hold", afterBytes: 0, until: moved };
    };
    expect(await room.pull()).toMatchObject({ id: before.image.id, digest: sha256(before.manifest) });
    await room.expectWhole(before, { a: "before", b: expect.any(String) });
    expect(await find()).toBeUndefined();
    expect(await room.pull()).toMatchObject({ id: after.image.id, isNew: true });
    await room.opened.store.gc();
    await room.expectWhole(after, { a: "after", b: expect.any(String) });
  });

  it("asks for three layers at once, unless told otherwise", async () => {
    const files = Array.from({ length: 12 }, (_, n) => ({ [`f${n}`]: `${n}` }));
    const remote = new Remote(await imageOf(files));
    await room.push(remote);
    for (const downloads of [1, undefined, 5]) {
      const atOnce = downloads ?? 3;
      const held: (() => void)[] = [];
      let running = 0;
      let most = 0;
      room.proxy.fault = ({ url }) => {
        if (!remote.layers.some((layer) => url.endsWith(layer))) return undefined;
        running += 1;
        most = Math.max(most, running);
        const until = new Promise<void>((resolve) => {
          held.push(() => {
            running -= 1;
            resolve();
          });
        });
        // When there are as many as there may be, one more would have the time to come; the last ones are fewer.
        const left = remote.layers.length - room.layersAsked(remote).length;
        if (held.length === atOnce || left === 0) {
          setTimeout(() => {
            for (const release of held.splice(0)) release();
          }, 50);
        }
        return { kind: "hold", afterBytes: 0, until };
      };
      await room.pull("app:1", downloads === undefined ? {} : { downloads });
      expect(most).toBe(atOnce);
      await room.remove();
      room.calm();
    }
  });

  it("of all tags takes each that names an image, one after the other", async () => {
    const remotes = await Promise.all(
      ["a", "b", "c"].map(async (tag) => new Remote(await imageOf([{ tag }]))),
    );
    for (const [index, remote] of remotes.entries()) await room.push(remote, `app:${index}`);
    const client = room.registries.repository(room.reference());
    const signed = remotes[0]?.manifest ?? "";
    // As cosign puts a signature, and as referrers are listed where a registry does not know the request.
    for (const suffix of [".sig", ""])
      await pushSample(client, `${sha256(signed).replace(":", "-")}${suffix}`, { layerBytes: 10 });
    const references = await listOf(allTags(room.registries, room.reference()));
    expect(references.map(({ tag }) => tag).toSorted()).toEqual(["0", "1", "2"]);
    for (const reference of references) await pull(room.opened.store, room.registries, reference);
    const images = await room.opened.store.images();
    expect(images.flatMap((image) => image.references).toSorted()).toEqual(references.map(String).toSorted());
    await expect(listOf(allTags(room.registries, room.reference("nobody/has/it")))).rejects.toMatchObject({
      code: "NotFound",
    });
  });

  it("says what is not there, in docker's words", async () => {
    const remote = new Remote(await mixedImage());
    await room.push(remote);
    await expect(room.pull("app:2")).rejects.toMatchObject({
      code: "NotFound",
      message: `manifest for ${room.server.host}/app:2 not found: manifest unknown: manifest unknown`,
    });
    const [layer = ""] = remote.layers;
    if (!isDigest(layer)) throw new Error("a layer has a digest");
    await room.registries.repository(room.reference()).deleteBlob(layer);
    await expect(room.pull()).rejects.toMatchObject({
      code: "NotFound",
      message: expect.stringMatching(
        /^layer sha256:\w+ of \S+\/app:1: blob sha256:\w+ of \S+\/app: blob unknown/,
      ),
    });
    expect(await room.opened.store.images()).toEqual([]);
    await room.expectSound();
  });
});
