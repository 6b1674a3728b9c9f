import { Readable } from "node:stream";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { digestOf } from "@strata/core";
import { faultOf, type Registries } from "@strata/registry";
import { parseReference } from "@strata/store";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DockerRegistry } from "./support/docker-registry.ts";
import { contentOf, listOf, pushBlob, pushSample, sampleImage } from "./support/sample.ts";
import { User } from "./support/user.ts";

const unknown = digestOf("nobody has this");

describeWith("with docker-registry", ["docker-registry"], () => {
  let scratch: Scratch;
  let server: DockerRegistry;
  let registries: Registries;
  const open = (repository: string, access?: "pull" | "push") =>
    registries.repository(parseReference(`${server.host}/${repository}`), access ? { access } : {});

  beforeAll(async () => {
    scratch = new Scratch();
    server = await DockerRegistry.start();
    registries = await new User(scratch).open();
  });

  afterAll(async () => {
    await registries?.close();
    await server?.[Symbol.asyncDispose]();
    await scratch?.[Symbol.asyncDispose]();
  });

  it("is a registry, over plain HTTP as it is on this machine", async () => {
    await registries.host(server.host).ping();
    await registries.host(`http://${server.host}/`).ping();
  });

  it("gives a manifest by tag and by digest as it was put, in one request", async () => {
    const client = open("manifests");
    const sample = await pushSample(client, "1");
    server.proxy.requests.length = 0;
    const byTag = await client.getManifest("1");
    expect(server.proxy.log).toEqual(["GET /v2/manifests/manifests/1"]);
    expect(byTag).toEqual({ ...sample.manifest, digest: sample.digest });
    expect(await client.getManifest(sample.digest)).toEqual(byTag);
    expect(await client.headManifest("1")).toEqual({
      mediaType: sample.manifest.mediaType,
      digest: sample.digest,
      sizeBytes: sample.manifest.bytes.length,
    });
    expect(await client.headManifest("2")).toBeUndefined();
  });

  it("says in docker's words that a manifest or a repository is not there", async () => {
    await pushSample(open("words"), "1");
    await expect(open("words").getManifest("2")).rejects.toMatchObject({
      code: "NotFound",
      message: expect.stringMatching(
        /^manifest for 127\.0\.0\.1:\d+\/words:2 not found: manifest unknown: manifest unknown$/,
      ),
    });
    await expect(listOf(open("nobody/has/it").tags())).rejects.toMatchObject({
      code: "NotFound",
      message: expect.stringMatching(/^repository \S+\/nobody\/has\/it not found: name unknown: /),
    });
    const error = await open("words")
      .getManifest(unknown)
      .catch((error: unknown) => error);
    expect(faultOf(error)).toMatchObject({ status: 404, errors: [{ code: "MANIFEST_UNKNOWN" }] });
  });

  it("refuses what cannot name a manifest before it becomes part of a path", async () => {
    await expect(open("words").getManifest("../../_catalog")).rejects.toMatchObject({
      code: "InvalidArgument",
    });
  });

  it("gives a blob, all of it or from a byte on", async () => {
    const client = open("blobs");
    const { layer, layerDigest } = await pushSample(client, "1", { layerBytes: 300_000 });
    expect(await client.headBlob(layerDigest)).toEqual({ sizeBytes: 300_000 });
    expect(await client.headBlob(unknown)).toBeUndefined();

    const whole = await client.getBlob(layerDigest);
    expect(whole).toMatchObject({ from: 0, total: 300_000 });
    expect(await contentOf(whole)).toEqual(layer);

    const rest = await client.getBlob(layerDigest, { from: 299_990 });
    expect(rest).toMatchObject({ from: 299_990, total: 300_000 });
    expect(await contentOf(rest)).toEqual(layer.subarray(299_990));

    await expect(client.getBlob(unknown)).rejects.toMatchObject({ code: "NotFound" });
    const beyond = await client.getBlob(layerDigest, { from: 300_000 }).catch((error: unknown) => error);
    expect(faultOf(beyond)?.status).toBe(416);
  });

  it("lets a stream go that nobody reads to its end", async () => {
    const client = open("blobs");
    const digest = await pushBlob(client, Buffer.alloc(20_000_000, 1));
    for (let round = 0; round < 20; round++) {
      const blob = await client.getBlob(digest);
      if (round % 2) blob.cancel();
      else for await (const _ of blob.stream) break;
    }
    // More than there are connections: none is held.
    expect((await contentOf(await client.getBlob(digest))).length).toBe(20_000_000);
  });

  it("takes an upload as a stream, in one part", async () => {
    const client = open("uploads", "push");
    const data = Buffer.alloc(500_000, 7);
    const upload = await client.startUpload();
    await upload.finish(digestOf(data), {
      data: Readable.from([data.subarray(0, 9), data.subarray(9)]),
      sizeBytes: data.length,
    });
    expect(await contentOf(await client.getBlob(digestOf(data)))).toEqual(data);
  });

  it("takes an upload in several parts, and tells how far it is", async () => {
    const client = open("uploads", "push");
    const data = Buffer.from("first, second, third");
    const upload = await client.startUpload();
    expect(upload.offset).toBe(0);
    await upload.append({ data: data.subarray(0, 7) });
    await upload.append({ data: Readable.from([data.subarray(7, 15)]) });
    expect(upload.offset).toBe(15);
    expect(await upload.status()).toBe(15);
    await upload.finish(digestOf(data), { data: data.subarray(15) });
    expect(await contentOf(await client.getBlob(digestOf(data)))).toEqual(data);
  });

  it("goes on with an upload that another process began", async () => {
    const data = Buffer.from("begun by one, ended by another");
    const begun = await open("uploads", "push").startUpload();
    await begun.append({ data: data.subarray(0, 10) });
    await using others = await new User(scratch).open();
    const client = others.repository(parseReference(`${server.host}/uploads`), { access: "push" });
    const upload = await client.resumeUpload(begun.location);
    expect(upload?.offset).toBe(10);
    await upload?.finish(digestOf(data), { data: data.subarray(10) });
    expect(await client.headBlob(digestOf(data))).toEqual({ sizeBytes: data.length });
    expect(await client.resumeUpload(begun.location)).toBeUndefined();
  });

  it("begins anew after a part that broke off, since docker-registry has lost the whole then", async () => {
    const client = open("uploads", "push");
    const data = Buffer.alloc(1_000_000, 3);
    const upload = await client.startUpload();
    await upload.append({ data: data.subarray(0, 300_000) });
    server.proxy.requests.length = 0;
    server.proxy.fault = ({ method }) =>
      method === "PATCH" ? { kind: "cut-request", afterBytes: 400_000 } : undefined;
    await expect(upload.append({ data: data.subarray(300_000) })).rejects.toMatchObject({ code: "Aborted" });
    server.proxy.fault = () => undefined;
    // A part is never sent blindly again.
    expect(server.proxy.log.filter((line) => line.startsWith("PATCH"))).toHaveLength(1);
    expect(await upload.status()).toBeUndefined();
    await pushBlob(client, data);
    expect(await client.headBlob(digestOf(data))).toEqual({ sizeBytes: 1_000_000 });
  });

  it("refuses bytes of another digest, and forgets an upload that is cancelled", async () => {
    const client = open("uploads", "push");
    const upload = await client.startUpload();
    await expect(upload.finish(unknown, { data: Buffer.from("other") })).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining("digest invalid"),
    });
    const other = await client.startUpload();
    await other.append({ data: Buffer.from("some") });
    await other.cancel();
    expect(await other.status()).toBeUndefined();
  });

  it("mounts a blob of another repository, or begins an upload in its place", async () => {
    const digest = await pushBlob(open("mounts/from", "push"), Buffer.from("to be mounted"));
    const client = open("mounts/to", "push");
    expect(await client.headBlob(digest)).toBeUndefined();
    expect(await client.mountBlob(digest, "mounts/from")).toBeUndefined();
    expect(await client.headBlob(digest)).toEqual({ sizeBytes: 13 });

    const data = Buffer.from("is not there");
    const upload = await client.mountBlob(digestOf(data), "mounts/from");
    await upload?.finish(digestOf(data), { data });
    expect(await client.headBlob(digestOf(data))).toEqual({ sizeBytes: data.length });
  });

  it("lists tags and repositories", async () => {
    for (const tag of ["b", "a"]) await pushSample(open("lists"), tag);
    expect((await listOf(open("lists").tags())).sort()).toEqual(["a", "b"]);
    expect(await listOf(registries.host(server.host).catalog())).toContain("lists");
  });

  it("deletes a manifest and a blob, once", async () => {
    const client = open("deletes", "push");
    const { digest, layerDigest } = await pushSample(client, "1");
    expect(await client.deleteManifest(digest)).toBe(true);
    expect(await client.headManifest("1")).toBeUndefined();
    expect(await client.deleteManifest(digest)).toBe(false);
    expect(await client.deleteBlob(layerDigest)).toBe(true);
    expect(await client.deleteBlob(layerDigest)).toBe(false);
  });

  it("refuses a manifest whose blobs are not there, in the registry's words", async () => {
    const { manifest } = sampleImage();
    await expect(open("incomplete").putManifest("1", manifest)).rejects.toThrow(
      /^push of the manifest of \S+:1: manifest blob unknown: blob unknown to registry/,
    );
  });

  it("finds referrers by the tag that stands for them where the registry does not know the request", async () => {
    const client = open("referrers", "push");
    const subject = await pushSample(client, "1");
    const signature = await pushSample(client, "signature", { subject });
    expect(await listOf(client.referrers(subject.digest))).toEqual([]);
    const index = {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: ["a/signature", "a/bill"].map((artifactType) => ({
        mediaType: signature.manifest.mediaType,
        digest: signature.digest,
        size: signature.manifest.bytes.length,
        artifactType,
      })),
    };
    await client.putManifest(subject.digest.replace(":", "-"), {
      bytes: Buffer.from(JSON.stringify(index)),
      mediaType: index.mediaType,
    });
    expect(await listOf(client.referrers(subject.digest))).toHaveLength(2);
    const signatures = await listOf(client.referrers(subject.digest, { artifactType: "a/signature" }));
    expect(signatures).toMatchObject([{ digest: signature.digest, artifactType: "a/signature" }]);
  });
});
