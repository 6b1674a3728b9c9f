import diagnostics from "node:diagnostics_channel";
import { request, Server } from "node:http";
import { expect, it } from "vitest";
import { type Answer, codesOf } from "./support/client.ts";
import { ServedStore, useServedStore } from "./support/served-store.ts";

const served = useServedStore();
const { ask } = served;
const repo = "conformance/one";

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

it("a connection that cannot be taken is told of, and ends nothing", async () => {
  await using own = await ServedStore.start();
  const channel = "http.server.request.start";
  const server = new Promise<Server>((resolve) => {
    const take = (message: unknown): void => {
      diagnostics.unsubscribe(channel, take);
      if (hasServer(message)) resolve(message.server);
    };
    diagnostics.subscribe(channel, take);
  });
  await own.client.get("/v2/");
  const error = Object.assign(new Error("accept EMFILE"), { code: "EMFILE" });
  (await server).emit("error", error);
  expect(own.errors).toEqual([error]);
  expect((await own.client.get("/v2/")).status).toBe(200);
});

function hasServer(message: unknown): message is { readonly server: Server } {
  return (
    typeof message === "object" && message !== null && "server" in message && message.server instanceof Server
  );
}

/** `URL` would tidy the path. */
async function rawGet(path: string): Promise<Answer> {
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
