import { randomBytes } from "node:crypto";
import { digestOf } from "@strata/core";
import { beforeAll, describe, expect, it } from "vitest";
import { codesOf } from "../support/client.ts";
import { bytesOf, pushImage, sampleImage, types } from "../support/sample.ts";
import { useServedStore } from "../support/served-store.ts";

const served = useServedStore();
const { ask } = served;
const repo = "conformance/one";
const nowhere = digestOf("nobody has this");

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
