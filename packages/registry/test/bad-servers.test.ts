import { Scratch } from "@strata/conformance/suite";
import { digestOf } from "@strata/core";
import { faultOf } from "@strata/registry";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FaultyProxy } from "./support/faulty-proxy.ts";
import { User } from "./support/user.ts";
import { answerJson, WebServer } from "./support/web-server.ts";

let scratch: Scratch;
let user: User;

beforeAll(() => {
  scratch = new Scratch();
  user = new User(scratch);
});
afterAll(() => scratch[Symbol.asyncDispose]());

const open: User["openApp"] = (host, options) => user.openApp(host, options);

describe("a bad server", () => {
  it("is not read without end", async () => {
    await using server = await WebServer.start((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, "x"))) {}
      };
      response.on("drain", more);
      more();
    });
    await using client = await open(server.host);
    await expect(client.getManifest("1")).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining("longer than 4194304 bytes"),
    });
  });

  it("is told of in one line, whatever it says", async () => {
    await using server = await WebServer.start((_request, response) => {
      const message = `\u001b[31mred\r\n${"x".repeat(5000)}`;
      answerJson(response, 400, { errors: [{ code: "NAME_INVALID", message }, { nonsense: true }] });
    });
    await using client = await open(server.host);
    const error = await client.getManifest("1").catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: "InvalidArgument",
      message: expect.stringMatching(/^manifest for \S+: name invalid: \[31mred x{400,}…$/),
    });
  });

  it("that sends another part than was asked for is refused", async () => {
    await using server = await WebServer.start((_request, response) => {
      response.writeHead(206, { "content-range": "bytes 20-24/25" }).end("bytes");
    });
    await using client = await open(server.host);
    await expect(client.getBlob(digestOf("x"), { from: 10 })).rejects.toThrow(
      "another part than was asked for",
    );
  });

  it("that has only schema 1 is named so", async () => {
    await using server = await WebServer.start((_request, response) => {
      const type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
      response.writeHead(200, { "content-type": type }).end("{}");
    });
    await using client = await open(server.host);
    await expect(client.getManifest("1")).rejects.toMatchObject({ code: "Unsupported" });
    expect(server.requests[0]?.headers.accept).toBe(
      "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json",
    );
  });

  it("that is none says so", async () => {
    await using server = await WebServer.start((_request, response) => void response.writeHead(404).end());
    await using registries = await user.open();
    await expect(registries.host(server.host).ping()).rejects.toMatchObject({ code: "Unsupported" });
  });

  it("that is not there is told of after some tries", async () => {
    const server = await WebServer.start(() => {});
    const { host } = server;
    await server[Symbol.asyncDispose]();
    await using client = await open(host, { attempts: 2 });
    await expect(client.getManifest("1")).rejects.toMatchObject({
      code: "Aborted",
      message: `http://${host}/v2/app/manifests/1: connection refused: nothing listens there`,
    });
  });

  it("that keeps an upload tells how far it is after a cut, and refuses another offset", async () => {
    let kept = 0;
    await using server = await WebServer.start(async (request, response, { method }) => {
      if (method === "POST") return void response.writeHead(202, { location: "/up", range: "0-0" }).end();
      if (method === "GET")
        return void response.writeHead(204, { location: "/up", range: `0-${kept - 1}` }).end();
      if (request.headers["content-range"]?.startsWith(`${kept}-`) !== true)
        return answerJson(response, 416, {});
      for await (const chunk of request) kept += chunk.length;
      response.writeHead(202, { location: "/up", range: `0-${kept - 1}` }).end();
    });
    await using proxy = await FaultyProxy.start(server.url);
    await using client = await open(proxy.host);
    const data = Buffer.alloc(500_000, 1);
    const upload = await client.startUpload();
    proxy.fault = ({ method }) =>
      method === "PATCH" ? { kind: "cut-request", afterBytes: 200_000 } : undefined;
    await expect(upload.append({ data })).rejects.toMatchObject({ code: "Aborted" });
    proxy.fault = () => undefined;
    const error = await upload.append({ data }).catch((error: unknown) => error);
    expect(faultOf(error)?.status).toBe(416);
    expect(await upload.status()).toBe(200_000);
    await upload.append({ data: data.subarray(200_000) });
    expect(upload.offset).toBe(500_000);
  });
});
