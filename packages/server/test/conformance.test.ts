import { randomBytes } from "node:crypto";
import { digestOf } from "@strata/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, codesOf, withQuery } from "./support/client.ts";
import { artifact, bytesOf, descriptorOf, pushImage, sampleImage, types } from "./support/sample.ts";
import { ServedStore } from "./support/served-store.ts";

/*
 * The cases of the OCI distribution-spec's conformance suite, from the words of the specification (1.1): pull, push,
 * content discovery, content management.
 */

let served: ServedStore;
const repo = "conformance/one";
const other = "conformance/two";
const nowhere = digestOf("nobody has this");

beforeAll(async () => {
  served = await ServedStore.start();
});

afterAll(async () => {
  await served?.[Symbol.asyncDispose]();
});

const ask = (...args: Parameters<ServedStore["client"]["ask"]>): Promise<Answer> =>
  served.client.ask(...args);

it("answers at /v2/", async () => {
  for (const path of ["/v2/", "/v2"]) expect((await ask("GET", path)).status).toBe(200);
  expect((await ask("GET", "/v2/")).headers["docker-distribution-api-version"]).toBe("registry/2.0");
});

it("has nothing before anything was pushed", async () => {
  expect((await ask("GET", "/v2/empty/none/tags/list")).status).toBe(404);
  const referrers = await ask("GET", `/v2/empty/none/referrers/${nowhere}`);
  expect(referrers).toMatchObject({ status: 200, headers: { "content-type": types.index } });
  expect(JSON.parse(referrers.body.toString())).toEqual({
    schemaVersion: 2,
    mediaType: types.index,
    manifests: [],
  });
});

describe("pull", () => {
  it.each(["GET", "HEAD"])("%s of what is not there is 404, with a code", async (method) => {
    for (const [path, code] of [
      [`/v2/${repo}/blobs/${nowhere}`, "BLOB_UNKNOWN"],
      [`/v2/${repo}/manifests/${nowhere}`, "MANIFEST_UNKNOWN"],
      [`/v2/${repo}/manifests/no-such-tag`, "MANIFEST_UNKNOWN"],
      [`/v2/${repo}/manifests/.INVALID_TAG`, "MANIFEST_UNKNOWN"],
    ] as const) {
      const answer = await ask(method, path);
      expect(answer.status, path).toBe(404);
      if (method === "GET") expect(codesOf(answer)).toEqual([code]);
      else expect(answer.body).toHaveLength(0);
    }
  });

  it("a digest that is none is 400", async () => {
    for (const path of ["manifests/sha256:baddigeststring", "blobs/sha256:baddigeststring", "blobs/md5:0"]) {
      const answer = await ask("GET", `/v2/${repo}/${path}`);
      expect(answer.status).toBe(400);
      expect(codesOf(answer)).toEqual(["DIGEST_INVALID"]);
    }
  });

  it("gives a blob and its manifest as they were pushed, and HEAD their length without them", async () => {
    const image = await sampleImage();
    await pushImage(served.client, repo, "pull", image);
    const layer = `/v2/${repo}/blobs/${digestOf(image.layer)}`;
    expect(await ask("GET", layer)).toMatchObject({
      status: 200,
      body: image.layer,
      headers: {
        "content-length": String(image.layer.length),
        "docker-content-digest": digestOf(image.layer),
        etag: `"${digestOf(image.layer)}"`,
        "accept-ranges": "bytes",
      },
    });
    const bytes = bytesOf(image.manifest);
    for (const reference of ["pull", image.digest]) {
      const path = `/v2/${repo}/manifests/${reference}`;
      const headers = {
        "content-length": String(bytes.length),
        "content-type": types.manifest,
        "docker-content-digest": image.digest,
      };
      expect(await ask("GET", path)).toMatchObject({ status: 200, headers, body: bytes });
      expect(await ask("HEAD", path)).toMatchObject({ status: 200, headers, body: Buffer.alloc(0) });
      const cached = await ask("GET", path, { headers: { "if-none-match": `"${image.digest}"` } });
      expect(cached.status).toBe(304);
    }
    const head = await ask("HEAD", layer);
    expect(head.headers["content-length"]).toBe(String(image.layer.length));
    expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0) });
  });

  describe("of a part of a blob", () => {
    const bytes = randomBytes(2048);
    let path: string;
    beforeAll(async () => {
      path = `/v2/${repo}/blobs/${await served.client.pushBlob(repo, bytes)}`;
    });

    it.each([
      ["bytes=500-1499", 500, 1499],
      ["bytes=500-", 500, 2047],
      ["bytes=-500", 1548, 2047],
      ["bytes=-5000", 0, 2047],
      ["bytes=2000-5000", 2000, 2047],
      ["bytes=0-0", 0, 0],
    ])("%s", async (range, start, end) => {
      const answer = await ask("GET", path, { headers: { range } });
      expect(answer).toMatchObject({
        status: 206,
        headers: {
          "content-range": `bytes ${start}-${end}/2048`,
          "content-length": String(end - start + 1),
        },
      });
      expect(answer.body.equals(bytes.subarray(start, end + 1))).toBe(true);
    });

    it.each(["bytes=500-0", "bytes=2048-", "bytes=5000-10000", "bytes=-0"])("%s is 416", async (range) => {
      const answer = await ask("GET", path, { headers: { range } });
      expect(answer).toMatchObject({ status: 416, headers: { "content-range": "bytes */2048" } });
    });

    it.each(["bytes=0-1,5-6", "lines=1-2", "bytes=a-b"])("%s is not understood: all of it", async (range) => {
      const answer = await ask("GET", path, { headers: { range } });
      expect(answer.status).toBe(200);
      expect(answer.body.equals(bytes)).toBe(true);
    });

    it("of another version than If-Range names is all of it", async () => {
      const headers = { range: "bytes=0-9", "if-range": '"another"' };
      expect((await ask("GET", path, { headers })).status).toBe(200);
    });
  });
});

describe("push of a blob", () => {
  const expectBlob = async (location: string | undefined, bytes: Uint8Array): Promise<void> => {
    const answer = await ask("GET", location ?? "");
    expect(answer.status).toBe(200);
    expect(answer.body.equals(bytes)).toBe(true);
  };

  it.each([
    ["512 bytes", randomBytes(512)],
    ["no byte", Buffer.alloc(0)],
    ["an empty JSON document", Buffer.from("{}")],
  ])("in one POST: %s", async (_, body) => {
    const digest = digestOf(body);
    const answer = await ask("POST", `/v2/${repo}/blobs/uploads/?digest=${digest}`, { body });
    expect(answer).toMatchObject({ status: 201, headers: { "docker-content-digest": digest } });
    await expectBlob(answer.headers.location, body);
  });

  it.each([
    ["512 bytes", randomBytes(512)],
    ["no byte", Buffer.alloc(0)],
  ])("by POST and PUT: %s", async (_, body) => {
    const digest = digestOf(body);
    const answer = await ask("PUT", withQuery(await served.client.beginUpload(repo), { digest }), { body });
    expect(answer).toMatchObject({ status: 201, headers: { "docker-content-digest": digest } });
    await expectBlob(answer.headers.location, body);
  });

  it("as a stream, of a length that nobody told", async () => {
    const body = randomBytes(300_000);
    const patched = await ask("PATCH", await served.client.beginUpload(repo), {
      headers: { "transfer-encoding": "chunked" },
      body,
    });
    expect(patched).toMatchObject({ status: 202, headers: { range: "0-299999" } });
    const location = withQuery(patched.headers.location ?? "", { digest: digestOf(body) });
    const answer = await ask("PUT", location);
    expect(answer.status).toBe(201);
    await expectBlob(answer.headers.location, body);
  });

  it.each([
    ["the last part by PATCH", false],
    ["the last part by PUT", true],
  ])("in parts, in order: %s", async (_, putsLast) => {
    const body = randomBytes(3000);
    let location = await served.client.beginUpload(repo);
    for (const start of putsLast ? [0, 1000] : [0, 1000, 2000]) {
      const part = body.subarray(start, start + 1000);
      const headers = { "content-range": `${start}-${start + 999}` };
      const answer = await ask("PATCH", location, { headers, body: part });
      expect(answer).toMatchObject({ status: 202, headers: { range: `0-${start + 999}` } });
      location = answer.headers.location ?? "";
      expect(await ask("GET", location)).toMatchObject({
        status: 204,
        headers: { range: `0-${start + 999}` },
      });
    }
    const last = { headers: { "content-range": "2000-2999" }, body: body.subarray(2000) };
    const answer = await ask("PUT", withQuery(location, { digest: digestOf(body) }), putsLast ? last : {});
    expect(answer.status).toBe(201);
    await expectBlob(answer.headers.location, body);
  });

  it("out of order is 416, says where to go on, and spoils nothing", async () => {
    const body = randomBytes(3000);
    const digest = digestOf(body);
    const location = await served.client.beginUpload(repo);
    const part = (start: number) => ({
      headers: { "content-range": `${start}-${start + 999}` },
      body: body.subarray(start, start + 1000),
    });
    expect(await ask("GET", location)).toMatchObject({ status: 204, headers: { range: "0-0" } });
    expect(await ask("PATCH", location, part(1000))).toMatchObject({
      status: 416,
      headers: { range: "0-0", location },
    });
    expect((await ask("PATCH", location, part(0))).status).toBe(202);
    for (const start of [2000, 0]) {
      for (const [method, path] of [
        ["PATCH", location],
        ["PUT", withQuery(location, { digest })],
      ] as const) {
        expect(await ask(method, path, part(start))).toMatchObject({
          status: 416,
          headers: { range: "0-999" },
        });
      }
    }
    expect((await ask("PATCH", location, part(1000))).status).toBe(202);
    const answer = await ask("PUT", withQuery(location, { digest }), part(2000));
    expect(answer.status).toBe(201);
    await expectBlob(answer.headers.location, body);
    expect((await ask("GET", location)).status).toBe(404);
  });

  it.each([
    ["a Content-Range that is none", { "content-range": "all of it" }, "BLOB_UPLOAD_INVALID"],
    ["a Content-Range of another length", { "content-range": "0-998" }, "SIZE_INVALID"],
    [
      "a Content-Range that is longer than a stream",
      { "content-range": "0-1999", "transfer-encoding": "chunked" },
      "SIZE_INVALID",
    ],
    [
      "a Content-Range that is shorter than a stream",
      { "content-range": "0-9", "transfer-encoding": "chunked" },
      "SIZE_INVALID",
    ],
  ])("with %s is 400, and leaves nothing of it", async (_, headers, code) => {
    const body = randomBytes(1000);
    const location = await served.client.beginUpload(repo);
    const answer = await ask("PATCH", location, { headers, body });
    expect(answer.status).toBe(400);
    expect(codesOf(answer)).toEqual([code]);
    const done = await ask("PUT", withQuery(location, { digest: digestOf(body) }), { body });
    expect(done.status).toBe(201);
  });

  describe("whose bytes have another digest is 400, and leaves nothing", () => {
    const body = randomBytes(600);
    const digest = digestOf("something else");
    const expectRefused = async (answer: Answer): Promise<void> => {
      expect(answer.status).toBe(400);
      expect(codesOf(answer)).toEqual(["DIGEST_INVALID"]);
      for (const each of [digest, digestOf(body)]) {
        expect((await ask("HEAD", `/v2/${repo}/blobs/${each}`)).status).toBe(404);
      }
    };

    it("in one POST", async () => {
      await expectRefused(await ask("POST", `/v2/${repo}/blobs/uploads/?digest=${digest}`, { body }));
    });

    it("by POST and PUT", async () => {
      const location = withQuery(await served.client.beginUpload(repo), { digest });
      await expectRefused(await ask("PUT", location, { body }));
    });

    it("in parts", async () => {
      const location = await served.client.beginUpload(repo);
      await ask("PATCH", location, { body });
      await expectRefused(await ask("PUT", withQuery(location, { digest })));
    });

    it("or none that is a digest; then the upload stays", async () => {
      const location = await served.client.beginUpload(repo);
      const answer = await ask("PUT", withQuery(location, { digest: "sha256:1" }), { body });
      expect(codesOf(answer)).toEqual(["DIGEST_INVALID"]);
      expect((await ask("GET", location)).status).toBe(204);
    });
  });

  it("can be cancelled", async () => {
    const location = await served.client.beginUpload(repo);
    expect((await ask("DELETE", location)).status).toBe(204);
    for (const method of ["GET", "PATCH", "PUT", "DELETE"]) {
      const answer = await ask(method, withQuery(location, { digest: nowhere }));
      expect(answer.status).toBe(404);
      expect(codesOf(answer)).toEqual(["BLOB_UPLOAD_UNKNOWN"]);
    }
  });

  it("belongs to one repository", async () => {
    const location = await served.client.beginUpload(repo);
    expect((await ask("GET", location.replace(repo, other))).status).toBe(404);
  });

  it.each([
    ["from a repository", { from: other }],
    ["from wherever it is", {}],
  ])("by a mount, %s", async (_, from) => {
    const body = randomBytes(512);
    const digest = await served.client.pushBlob(other, body);
    const answer = await ask("POST", withQuery(`/v2/${repo}/blobs/uploads/`, { mount: digest, ...from }));
    expect(answer.status).toBe(201);
    expect(answer.headers.location).toBe(`/v2/${repo}/blobs/${digest}`);
    await expectBlob(answer.headers.location, body);
  });

  it("by a mount of what is not there becomes an upload", async () => {
    const body = randomBytes(512);
    const digest = digestOf(body);
    const query = { mount: digest, from: other };
    const answer = await ask("POST", withQuery(`/v2/${repo}/blobs/uploads/`, query));
    expect(answer.status).toBe(202);
    const done = await ask("PUT", withQuery(answer.headers.location ?? "", { digest }), { body });
    expect(done.status).toBe(201);
  });
});

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

describe("content discovery", () => {
  const repository = "conformance/tags";
  const tags = ["Upper", "a", "b", "c.d", "e"];

  beforeAll(async () => {
    const image = await sampleImage({ files: { a: "tags" } });
    for (const tag of [...tags].reverse()) await pushImage(served.client, repository, tag, image);
  });

  it("lists tags, in order", async () => {
    expect(await served.client.json(`/v2/${repository}/tags/list`)).toEqual({ name: repository, tags });
  });

  it.each([
    ["n=2", tags.slice(0, 2)],
    ["last=a", tags.slice(2)],
    ["n=2&last=a", tags.slice(2, 4)],
    ["n=0", []],
    ["n=100", tags],
    ["last=zzz", []],
    ["last=aa", tags.slice(2)],
  ])("lists a part of them: %s", async (query, expected) => {
    expect(await served.client.json(`/v2/${repository}/tags/list?${query}`)).toMatchObject({
      tags: expected,
    });
  });

  it("leads through all pages by Link", async () => {
    const pages: unknown[] = [];
    for (let next: string | undefined = `/v2/${repository}/tags/list?n=2`; next !== undefined; ) {
      const answer: Answer = await ask("GET", next);
      pages.push(JSON.parse(answer.body.toString()).tags);
      next = /^<(.+)>; rel="next"$/.exec(String(answer.headers["link"]))?.[1];
    }
    expect(pages).toEqual([["Upper", "a"], ["b", "c.d"], ["e"]]);
  });

  it("refuses a number that is none", async () => {
    expect((await ask("GET", `/v2/${repository}/tags/list?n=-1`)).status).toBe(400);
  });

  it("lists referrers, and those of a type", async () => {
    const image = await sampleImage({ files: { a: "subject" } });
    await pushImage(served.client, repository, "subject", image);
    const subject = descriptorOf(types.manifest, image.manifest);
    await served.client.pushBlob(repository, Buffer.from("{}"));
    const signature = artifact("example/signature", subject);
    const contents = artifact("example/sbom", subject);
    const typed = await sampleImage({ files: { a: "another" }, subject });
    await served.client.putManifest(repository, digestOf(bytesOf(signature)), signature);
    await served.client.putManifest(repository, "sbom", contents);
    await pushImage(served.client, repository, "typed", typed);
    const index = {
      schemaVersion: 2,
      mediaType: types.index,
      manifests: [],
      artifactType: "example/index",
      subject,
    };
    await served.client.putManifest(repository, digestOf(bytesOf(index)), index);

    const path = `/v2/${repository}/referrers/${image.digest}`;
    const all = await served.client.json(path);
    const note = (type: string) => ({ artifactType: type, annotations: { "org.example.note": type } });
    expect(all).toMatchObject({ schemaVersion: 2, mediaType: types.index });
    const byType = [
      { ...descriptorOf(types.manifest, typed.manifest), artifactType: types.config },
      { ...descriptorOf(types.manifest, signature), ...note("example/signature") },
      { ...descriptorOf(types.manifest, contents), ...note("example/sbom") },
      { ...descriptorOf(types.index, index), artifactType: "example/index" },
    ];
    expect(all).toHaveProperty("manifests", expect.arrayContaining(byType));
    expect(all).toHaveProperty("manifests.length", byType.length);

    const filtered = await ask("GET", `${path}?artifactType=example%2Fsbom`);
    expect(filtered.headers).toMatchObject({
      "content-type": types.index,
      "oci-filters-applied": "artifactType",
    });
    expect(JSON.parse(filtered.body.toString()).manifests).toEqual([byType[2]]);
    expect(await served.client.json(`/v2/${repo}/referrers/${image.digest}`)).toMatchObject({
      manifests: [],
    });
  });

  it("lists repositories, in pages", async () => {
    const all = await served.client.json("/v2/_catalog");
    expect(all).toHaveProperty("repositories", expect.arrayContaining([repo, repository]));
    const first = await ask("GET", "/v2/_catalog?n=1");
    expect(JSON.parse(first.body.toString()).repositories).toEqual([repo]);
    expect(first.headers["link"]).toBe('</v2/_catalog?n=1&last=conformance%2Fone>; rel="next"');
  });
});

describe("content management", () => {
  const repository = "conformance/deleted";

  it("takes away a tag; the manifest stays by its digest; then the manifest; then the blobs", async () => {
    const image = await sampleImage({ files: { a: "deleted" } });
    for (const tag of ["one", "two"]) await pushImage(served.client, repository, tag, image);
    const status = async (method: string, path: string) =>
      (await ask(method, `/v2/${repository}/${path}`)).status;
    const blob = `blobs/${digestOf(image.layer)}`;

    expect(await status("DELETE", blob)).toBe(405);
    expect(await status("DELETE", "manifests/one")).toBe(202);
    expect(await status("HEAD", "manifests/one")).toBe(404);
    expect(await status("DELETE", "manifests/one")).toBe(404);
    expect(await served.client.json(`/v2/${repository}/tags/list`)).toMatchObject({ tags: ["two"] });
    expect(await status("DELETE", "manifests/two")).toBe(202);
    expect(await served.client.json(`/v2/${repository}/tags/list`)).toMatchObject({ tags: [] });
    expect(await status("GET", `manifests/${image.digest}`)).toBe(200);

    expect(await status("DELETE", `manifests/${image.digest}`)).toBe(202);
    expect(await status("GET", `manifests/${image.digest}`)).toBe(404);
    expect(await status("DELETE", `manifests/${image.digest}`)).toBe(404);
    expect(await status("GET", "tags/list")).toBe(404);

    expect(await status("DELETE", blob)).toBe(202);
    expect(await status("GET", blob)).toBe(404);
    expect(await status("DELETE", blob)).toBe(404);
  });

  it("takes away a manifest with all its tags", async () => {
    const image = await sampleImage({ files: { a: "all tags" } });
    for (const tag of ["one", "two"]) await pushImage(served.client, repository, tag, image);
    expect((await ask("DELETE", `/v2/${repository}/manifests/${image.digest}`)).status).toBe(202);
    for (const reference of ["one", "two", image.digest]) {
      expect((await ask("GET", `/v2/${repository}/manifests/${reference}`)).status).toBe(404);
    }
  });

  it("takes away a blob that no manifest has named", async () => {
    const digest = await served.client.pushBlob(repository, randomBytes(100));
    expect((await ask("DELETE", `/v2/${repository}/blobs/${digest}`)).status).toBe(202);
    expect((await ask("HEAD", `/v2/${repository}/blobs/${digest}`)).status).toBe(404);
  });

  it("takes away indexes and artifacts, by tag and by digest", async () => {
    await served.client.pushBlob(repository, Buffer.from("{}"));
    const document = artifact("example/one");
    await served.client.putManifest(repository, "artifact", document);
    const digest = digestOf(bytesOf(document));
    expect((await ask("DELETE", `/v2/${repository}/manifests/artifact`)).status).toBe(202);
    expect((await ask("GET", `/v2/${repository}/manifests/${digest}`)).status).toBe(200);
    expect((await ask("DELETE", `/v2/${repository}/manifests/${digest}`)).status).toBe(202);
    expect((await ask("GET", `/v2/${repository}/manifests/${digest}`)).status).toBe(404);
  });
});

describe("what is not in the specification", () => {
  it.each([
    ["/v2/UPPER/tags/list", 400, "NAME_INVALID"],
    ["/v2/a//b/tags/list", 400, "NAME_INVALID"],
    ["/v2/../../etc/passwd/tags/list", 400, "NAME_INVALID"],
    ["/v2/%00/tags/list", 400, "NAME_INVALID"],
    ["/v2/%/tags/list", 400, "NAME_INVALID"],
    ["/v2/name:tag/tags/list", 400, "NAME_INVALID"],
    ["/v2/name/nothing", 404, "UNSUPPORTED"],
    ["/", 404, "UNSUPPORTED"],
    ["/v1/search", 404, "UNSUPPORTED"],
  ])("GET %s is %i", async (path, status, code) => {
    const answer = await rawGet(path);
    expect(answer.status).toBe(status);
    expect(codesOf(answer)).toEqual([code]);
  });

  it("a method that does nothing there is 405", async () => {
    const answer = await ask("POST", `/v2/${repo}/manifests/tag`);
    expect(answer).toMatchObject({ status: 405, headers: { allow: "GET, HEAD, PUT, DELETE" } });
  });

  /** `URL` would tidy the path. */
  async function rawGet(path: string): Promise<Answer> {
    const { request } = await import("node:http");
    const { hostname, port } = new URL(served.server.url);
    return await new Promise((resolve, reject) => {
      request({ hostname, port, path }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      })
        .on("error", reject)
        .end();
    });
  }
});

it("had no trouble of its own meanwhile, and nothing in the store is damaged", async () => {
  expect(served.errors).toEqual([]);
  await served.store.gc();
  expect(await served.store.check()).toEqual([]);
});
