import { describeWith } from "@strata/conformance";
import { digestOf } from "@strata/core";
import { type PushProgress, pull } from "@strata/registry";
import { parseReference } from "@strata/store";
import { afterEach, beforeEach, expect, it } from "vitest";
import { hex, imageOf, sha256 } from "../../store/test/support/image.ts";
import { mixedImage, mixedTree } from "../../store/test/support/load.ts";
import { allDrivers, drivers, treeOf } from "../../store/test/support/store.ts";
import { random } from "./support/pulling.ts";
import { Pushing, plainLayers } from "./support/pushing.ts";

let room: Pushing;

afterEach(() => room[Symbol.asyncDispose]());

function methods(): string[] {
  return room.proxy.requests.map(({ method }) => method);
}

/** The last that was said of each layer, in the order of the first. */
function outcomes(events: readonly PushProgress[]): string[] {
  const last = new Map(events.map((event) => [event.digest, event]));
  return [...last.values()].map(({ status, from }) => (from === undefined ? status : `${status} ${from}`));
}

describeWith("a push to docker-registry", ["docker-registry"], () => {
  it.each(allDrivers)("brings an image there byte for byte, and back, with %s", async (driver) => {
    room = await Pushing.start(driver);
    const image = await mixedImage();
    await room.load(image, "app:1", {});
    const { opened, registries } = room.room;
    const reference = room.room.reference();
    const { digest, manifestBytes } = await opened.store.resolve(reference.toString());
    expect(await room.push()).toEqual({
      reference: reference.toString(),
      digest,
      sizeBytes: manifestBytes.length,
    });
    await room.expectPushed();

    await using other = await room.openOther();
    expect(await pull(other.store, registries, reference)).toMatchObject({ id: image.id, digest });
    expect(await treeOf(other, reference.toString())).toEqual(mixedTree);
  });
});

describeWith("a push", ["docker-registry"], () => {
  beforeEach(async () => {
    room = await Pushing.start();
  });

  it("sends no blob that the repository has", async () => {
    await room.load(await mixedImage());
    await room.push();
    room.room.calm();
    expect(outcomes(await room.report())).toEqual(["exists", "exists", "exists"]);
    expect(methods().sort()).toEqual(["HEAD", "HEAD", "HEAD", "HEAD", "PUT"]);
    expect(room.proxy.log.at(-1)).toBe("PUT /v2/app/manifests/1");

    await room.tag("app:1", "app:2");
    await room.push("app:2");
    expect(room.sent).toEqual([]);
    await room.expectPushed("app:2");
  });

  it("puts the manifest last, when all else is there", async () => {
    await room.load(await imageOf([{ a: random(50_000) }, { b: "b" }]));
    await room.push("app:1", { partBytes: 20_000 });
    const manifest = room.proxy.log.indexOf("PUT /v2/app/manifests/1");
    expect(manifest).toBe(room.proxy.log.length - 1);
  });

  it("sends a large blob in parts, and a small one in one", async () => {
    await room.load(await imageOf([{ a: random(50_000) }]));
    const [layer] = await room.layers();
    await room.push("app:1", { partBytes: 20_000, uploads: 1 });
    expect(room.sent.slice(0, 4)).toEqual([
      { method: "PATCH", from: 0, bytes: 20_000 },
      { method: "PATCH", from: 20_000, bytes: 20_000 },
      { method: "PATCH", from: 40_000, bytes: (layer?.size ?? 0) - 40_000 },
      { method: "PUT", from: 0, bytes: 0 },
    ]);
    expect(room.sent.slice(4).map(({ method }) => method)).toEqual(["PUT"]);
    await room.expectPushed();
  });

  it("tells of each layer what is done about it", async () => {
    await room.load(await imageOf([{ a: random(2_000_000) }, { b: random(1000) }]));
    const layers = await room.layers();
    const events = await room.report("app:1", { partBytes: 500_000 });
    expect(events.slice(0, 2).map(({ digest, status }) => ({ digest, status }))).toEqual(
      layers.map(({ digest }) => ({ digest, status: "preparing" })),
    );
    for (const { digest, size } of layers) {
      const own = events.filter((event) => event.digest === digest);
      expect(own.map(({ status }) => status)).toEqual([
        "preparing",
        ...own.slice(2).map(() => "pushing"),
        "pushed",
      ]);
      const bytes = own.map((event) => event.bytes);
      expect(bytes).toEqual(bytes.toSorted((a, b) => a - b));
      expect(bytes[0]).toBe(0);
      expect(bytes.at(-1)).toBe(size);
      expect(new Set(own.map((event) => `${event.label} ${event.totalBytes}`))).toEqual(
        new Set([`${hex(digest).slice(0, 12)} ${size}`]),
      );
    }
  });

  it("has the registry mount what another repository of it has", async () => {
    await room.load(await imageOf([{ shared: random(50_000) }, { own: "first" }]), "team/base:1");
    await room.push("team/base:1");
    await room.tag("team/base:1", "app:1");
    room.room.calm();
    expect(outcomes(await room.report())).toEqual(["mounted team/base", "mounted team/base"]);
    expect(room.sent).toEqual([]);
    await room.expectPushed();
  });

  it("sends what other repositories turn out not to have, after a few tries", async () => {
    await room.load(await imageOf([{ own: "first" }]), "app:1");
    for (const name of ["one", "two", "three", "four"]) await room.tag("app:1", `${name}:1`);
    expect(outcomes(await room.report())).toEqual(["pushed"]);
    const [layer] = await room.layers();
    const tries = room.proxy.log.filter((line) =>
      line.includes(`mount=${encodeURIComponent(layer?.digest ?? "")}`),
    );
    expect(tries).toHaveLength(3);
    // Uploads that were begun in vain are not left to the registry.
    expect(room.proxy.log.filter((line) => line.startsWith("POST")).length).toBe(6);
    expect(methods().filter((method) => method === "DELETE")).toHaveLength(4);
    await room.expectPushed();
  });

  it("does not ask for mounts from other registries", async () => {
    const image = await imageOf([{ own: "first" }]);
    await room.load(image);
    const { opened } = room.room;
    await opened.store.tag(room.room.reference().toString(), "registry.example.com/base:1");
    await room.push();
    expect(room.proxy.log.filter((line) => line.includes("mount="))).toEqual([]);
  });

  it("sends a layer once that an image has twice", async () => {
    const layer = { a: random(20_000) };
    const { layers } = await imageOf([layer]);
    const [tar = Buffer.alloc(0)] = layers;
    await room.load(await imageOf([tar, { b: "b" }, tar]));
    expect(outcomes(await room.report())).toEqual(["pushed", "pushed"]);
    expect(room.sent).toHaveLength(3);
    await room.expectPushed();
  });

  it("takes an image without layers", async () => {
    await room.load(await imageOf([]));
    expect(await room.report()).toEqual([]);
    await room.expectPushed();
  });

  it("keeps the digests and media types of docker's images, as they were pulled", async () => {
    const image = await imageOf([{ a: "a" }]);
    const [layer = Buffer.alloc(0)] = image.layers;
    const mediaType = "application/vnd.docker.distribution.manifest.v2+json";
    const descriptor = (type: string, bytes: Buffer) => ({
      mediaType: `application/vnd.docker.${type}`,
      size: bytes.length,
      digest: sha256(bytes),
    });
    // With the spaces that docker writes.
    const document = {
      schemaVersion: 2,
      mediaType,
      config: descriptor("container.image.v1+json", image.config),
      layers: [descriptor("image.rootfs.diff.tar", layer)],
    };
    const bytes = Buffer.from(JSON.stringify(document, null, 3));
    const { registries, opened, server } = room.room;
    const client = registries.repository(parseReference(`${server.directHost}/docker`));
    for (const blob of [image.config, layer])
      await (await client.startUpload()).finish(digestOf(blob), { data: blob });
    await client.putManifest("1", { bytes, mediaType });

    await pull(opened.store, registries, room.room.reference("docker:1"));
    await room.tag("docker:1", "copy:1");
    expect(await room.push("copy:1")).toMatchObject({ digest: sha256(bytes) });
    await room.expectPushed("copy:1");
  });

  it("leaves out layers that others may not pass on", async () => {
    const image = await imageOf([{ foreign: "foreign" }, { own: "own" }]);
    const type = "application/vnd.docker.image.rootfs.foreign.diff.tar";
    await room.load(image, "app:1", {
      ...plainLayers,
      manifest: (manifest) => ({
        ...manifest,
        layers: manifest.layers.map((layer, index) =>
          index === 0 ? { ...layer, mediaType: type, urls: ["https://example.com/layer"] } : layer,
        ),
      }),
    });
    expect(outcomes(await room.report())).toEqual(["skipped", "pushed"]);
    const [foreign] = await room.layers();
    const named = (line: string) => decodeURIComponent(line).includes(foreign?.digest ?? "");
    expect(room.proxy.log.filter(named)).toEqual([]);
  });

  it("pushes an image to two repositories at once", async () => {
    await room.load(await imageOf([{ a: random(100_000) }, { b: random(100_000) }]), "one:1");
    await room.tag("one:1", "two:1");
    await Promise.all([room.push("one:1"), room.push("two:1")]);
    await room.expectPushed("one:1");
    await room.expectPushed("two:1");
  });

  it("sends a blob once where two push it to the same repository at once", async () => {
    await room.load(await imageOf([{ a: random(300_000) }, { b: random(300_000) }]));
    await room.tag("app:1", "app:2");
    const options = { partBytes: 100_000 };
    await Promise.all([room.push("app:1", options), room.push("app:2", options)]);
    const layers = await room.layers();
    const { manifest } = await room.room.opened.store.resolve(room.room.reference().toString());
    const total = [manifest.config, ...layers].reduce((sum, { size }) => sum + size, 0);
    expect(room.sent.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(total);
    await room.expectPushed("app:1");
    await room.expectPushed("app:2");
  });

  it("sends so many layers at the same time", async () => {
    const files = Array.from({ length: 8 }, (_, n) => ({ [`f${n}`]: random(1000) }));
    await room.load(await imageOf(files));
    await expect(room.push("app:1", { uploads: 0 })).rejects.toThrow(TypeError);
    await expect(room.push("app:1", { partBytes: 0.5 })).rejects.toThrow(TypeError);
    let now = 0;
    let most = 0;
    room.proxy.fault = ({ method, url }) => {
      if (method === "POST") most = Math.max(most, ++now);
      if (method === "PUT" && url.includes("/uploads/")) now--;
      return undefined;
    };
    await room.push("app:1", { uploads: 2 });
    expect(most).toBe(2);
  });

  it("ends at once when its caller gives up, and goes on the next time", async () => {
    await room.load(await imageOf([{ a: random(500_000) }]));
    const controller = new AbortController();
    room.proxy.fault = ({ headers }) => {
      if (!headers["content-range"]?.startsWith("200000-")) return undefined;
      controller.abort(new Error("enough"));
      return { kind: "cut", afterBytes: -1 };
    };
    const options = { partBytes: 100_000, uploads: 1 };
    await expect(room.push("app:1", { ...options, signal: controller.signal })).rejects.toThrow("enough");
    expect(room.notes).toHaveLength(1);
    room.room.calm();
    await room.push("app:1", options);
    expect(room.sent[0]).toMatchObject({ method: "PATCH", from: 200_000 });
    await room.expectPushed();
    await expect(room.push("app:1", { signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow("no");
  });

  it("stops at the first layer that fails, and tells of that one", async () => {
    await room.load(await imageOf([{ a: random(500_000) }, { b: "b" }]));
    const [, second] = await room.layers();
    room.proxy.fault = ({ method, url }) => {
      if (url.includes(`digest=${encodeURIComponent(second?.digest ?? "")}`))
        return { kind: "answer", status: 507, body: "" };
      // The first is still on its way then.
      return method === "PATCH" ? { kind: "stall", afterBytes: 0 } : undefined;
    };
    await expect(room.push("app:1", { partBytes: 100_000 })).rejects.toThrow("answers 507");
    expect(room.proxy.log.filter((line) => line.includes("/manifests/"))).toEqual([]);
  });
});

describeWith("a push of many layers", ["docker-registry"], () => {
  it("gives node nothing to warn of", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on("warning", note);
    try {
      room = await Pushing.start(drivers[0]);
      await room.load(await imageOf(Array.from({ length: 60 }, (_, n) => ({ [`f${n}`]: `${n}` }))));
      await room.push("app:1", { signal: new AbortController().signal });
      expect(warnings).toEqual([]);
    } finally {
      process.off("warning", note);
    }
  });
});
