import { digestOf } from "@strata/core";
import { describe, expect, it } from "vitest";
import { codesOf } from "../support/client.ts";
import { artifact, bytesOf, descriptorOf, pushImage, sampleImage, types } from "../support/sample.ts";
import { useServedStore } from "../support/served-store.ts";

const served = useServedStore();
const { ask } = served;
const repo = "conformance/one";
const nowhere = digestOf("nobody has this");

describe("push of a manifest", () => {
  it("by tags and by digest", async () => {
    const image = await sampleImage({ files: { a: "by tags" } });
    await pushImage(served.client, repo, "digest", image);
    for (const tag of ["test0", "test1", "test2", "test3"]) {
      const answer = await served.client.putManifest(repo, tag, image.manifest);
      expect(answer.status).toBe(201);
      expect(answer.headers["docker-content-digest"]).toBe(image.digest);
      const got = await ask("GET", answer.headers.location ?? "");
      expect(got).toMatchObject({ status: 200, body: bytesOf(image.manifest) });
    }
  });

  it("names what must be there: else 404", async () => {
    const image = await sampleImage({ files: { a: "never pushed" } });
    const missing = await served.client.putManifest(repo, "missing", image.manifest);
    expect(missing.status).toBe(404);
    expect(codesOf(missing)).toEqual(["MANIFEST_BLOB_UNKNOWN"]);
    const index = {
      schemaVersion: 2,
      mediaType: types.index,
      manifests: [{ mediaType: types.manifest, digest: nowhere, size: 7 }],
    };
    expect(codesOf(await served.client.putManifest(repo, "missing", index))).toEqual([
      "MANIFEST_BLOB_UNKNOWN",
    ]);
    expect((await ask("GET", `/v2/${repo}/manifests/missing`)).status).toBe(404);
  });

  it.each([
    ["another digest", nowhere, bytesOf({}), types.manifest, "DIGEST_INVALID"],
    ["a digest that is none", "sha256:baddigeststring", bytesOf({}), types.manifest, "DIGEST_INVALID"],
    ["what is no JSON", "tag", Buffer.from("{"), types.manifest, "MANIFEST_INVALID"],
    ["what is no manifest", "tag", bytesOf({ schemaVersion: 2 }), types.manifest, "MANIFEST_INVALID"],
    ["an unknown type", "tag", bytesOf({ schemaVersion: 1 }), "text/plain", "MANIFEST_INVALID"],
    ["a tag that is none", ".tag", bytesOf({}), types.manifest, "MANIFEST_INVALID"],
    [
      "two types",
      "tag",
      bytesOf({ schemaVersion: 2, mediaType: types.index, manifests: [] }),
      "application/vnd.docker.distribution.manifest.list.v2+json",
      "MANIFEST_INVALID",
    ],
  ])("with %s is 400", async (_, reference, body, type, code) => {
    const answer = await ask("PUT", `/v2/${repo}/manifests/${reference}`, {
      headers: { "content-type": type },
      body,
    });
    expect(answer.status).toBe(400);
    expect(codesOf(answer)).toEqual([code]);
  });

  it("of 4 MB passes, of more than 4 MiB is 413", async () => {
    const image = await sampleImage();
    await pushImage(served.client, repo, "small", image);
    const annotations = Object.fromEntries(
      Array.from({ length: 390 }, (_, index) => [`large-${index}`, "A".repeat(10_000)]),
    );
    const large = { ...image.manifest, annotations };
    expect((await served.client.putManifest(repo, "large", large)).status).toBe(201);
    const tooLarge = { ...image.manifest, annotations: { a: "A".repeat(4 * 2 ** 20) } };
    expect((await served.client.putManifest(repo, "large", tooLarge)).status).toBe(413);
  });

  it("takes indexes, also empty and nested ones, and images of no layer", async () => {
    const images = await Promise.all(
      ["amd64", "arm64"].map((architecture) => sampleImage({ architecture, files: { architecture } })),
    );
    for (const image of images) await pushImage(served.client, repo, "digest", image);
    const index = {
      schemaVersion: 2,
      mediaType: types.index,
      manifests: images.map(({ manifest }) => descriptorOf(types.manifest, manifest)),
    };
    expect((await served.client.putManifest(repo, digestOf(bytesOf(index)), index)).status).toBe(201);
    const nested = { ...index, manifests: [descriptorOf(types.index, index)] };
    expect((await served.client.putManifest(repo, "nested", nested)).status).toBe(201);
    const empty = { ...index, manifests: [] };
    expect((await served.client.putManifest(repo, "empty-index", empty)).status).toBe(201);
    expect((await ask("GET", `/v2/${repo}/manifests/empty-index`)).body).toEqual(bytesOf(empty));
    const config = Buffer.from(
      JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } }),
    );
    await served.client.pushBlob(repo, config);
    const bare = { ...images[0]?.manifest, config: descriptorOf(types.config, config), layers: [] };
    expect((await served.client.putManifest(repo, "no-layers", bare)).status).toBe(201);
  });

  it("takes layers that may not be passed on without their bytes", async () => {
    const image = await sampleImage();
    const layer = {
      mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
      digest: nowhere,
      size: 123_456,
      urls: ["https://store.example.com/layer"],
    };
    const manifest = { ...image.manifest, layers: [layer] };
    await served.client.pushBlob(repo, image.config);
    expect((await served.client.putManifest(repo, "elsewhere", manifest)).status).toBe(201);
  });

  it("tells of the subject, whether that is there or not", async () => {
    await served.client.pushBlob(repo, Buffer.from("{}"));
    const subject = { mediaType: types.manifest, digest: nowhere, size: 9 };
    const answer = await served.client.putManifest(repo, "about-nothing", artifact("a/one", subject));
    expect(answer).toMatchObject({ status: 201, headers: { "oci-subject": nowhere } });
  });
});
