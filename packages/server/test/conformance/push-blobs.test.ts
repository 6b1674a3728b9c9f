import { randomBytes } from "node:crypto";
import { digestOf } from "@strata/core";
import { describe, expect, it } from "vitest";
import { type Answer, codesOf, withQuery } from "../support/client.ts";
import { useServedStore } from "../support/served-store.ts";

const served = useServedStore();
const { ask } = served;
const repo = "conformance/one";
const other = "conformance/two";
const nowhere = digestOf("nobody has this");

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
    const short = body.subarray(0, 100);
    const done = await ask("PUT", withQuery(location, { digest: digestOf(short) }), { body: short });
    expect(done.status).toBe(201);
    await expectBlob(done.headers.location, short);
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
