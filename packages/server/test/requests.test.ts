import { request } from "node:http";
import { expect, it } from "vitest";
import { type Answer, codesOf } from "./support/client.ts";
import { useServedStore } from "./support/served-store.ts";

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
