import { Scratch } from "@strata/conformance/suite";
import { digestOf } from "@strata/core";
import { parseReference } from "@strata/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listOf } from "./support/sample.ts";
import { User } from "./support/user.ts";
import { answerJson, type Handler, WebServer } from "./support/web-server.ts";

let scratch: Scratch;
let user: User;

beforeEach(() => {
  scratch = new Scratch();
  user = new User(scratch);
});
afterEach(() => scratch[Symbol.asyncDispose]());

async function tagsOf(handler: Handler): Promise<{ tags: string[]; log: string[] }> {
  await using server = await WebServer.start(handler);
  await using registries = await user.open();
  const tags = await listOf(registries.repository(parseReference(`${server.host}/app`)).tags());
  return { tags, log: server.log };
}

describe("a list in pages", () => {
  it("is followed by Link, relative or not, among others", async () => {
    const { tags, log } = await tagsOf((request, response, { url }) => {
      const last = new URL(url, "http://x").searchParams.get("last");
      if (last === null)
        answerJson(response, 200, { tags: ["a"] }, { link: '</v2/app/tags/list?last=a&n=1>; rel="next"' });
      else if (last === "a")
        answerJson(
          response,
          200,
          { tags: ["b"] },
          {
            link: `<http://x/>; rel=prev, <http://${request.headers.host}/v2/app/tags/list?last=b>; title="x"; rel=next`,
          },
        );
      else answerJson(response, 200, { tags: null });
    });
    expect(tags).toEqual(["a", "b"]);
    expect(log).toEqual([
      "GET /v2/app/tags/list?n=1000",
      "GET /v2/app/tags/list?last=a&n=1",
      "GET /v2/app/tags/list?last=b",
    ]);
  });

  it("that leads back to itself is refused", async () => {
    const again: Handler = (_request, response) =>
      answerJson(response, 200, { tags: ["a"] }, { link: '</v2/app/tags/list?last=a>; rel="next"' });
    await expect(tagsOf(again)).rejects.toThrow("its pages lead back to each other");
  });

  it.each([[{}], [{ tags: "a" }], [{ tags: [1] }], [[]]])("that is none is refused: %j", async (page) => {
    await expect(tagsOf((_request, response) => answerJson(response, 200, page))).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining("tags: expected a list of names"),
    });
  });

  it("shows nothing to another host that it leads to", async () => {
    await using other = await WebServer.start((_request, response) =>
      answerJson(response, 200, { tags: ["b"] }),
    );
    user.write(".docker/config.json", {});
    const { tags } = await tagsOf((request, response) => {
      user.logIn({ [request.headers.host ?? ""]: "ann:secret" });
      if (!request.headers.authorization)
        return answerJson(response, 401, {}, { "www-authenticate": "Basic" });
      answerJson(response, 200, { tags: ["a"] }, { link: `<${other.url}/more>; rel="next"` });
    });
    expect(tags).toEqual(["a", "b"]);
    expect(other.requests[0]?.headers).not.toHaveProperty("authorization");
  });
});

describe("referrers", () => {
  const digest = digestOf("subject");
  const item = { mediaType: "application/x", digest: digestOf("a"), size: 1 };

  it("are filtered by the registry if it says so, else here", async () => {
    const manifests = [
      { ...item, artifactType: "a/a", annotations: { k: "v", n: 1 } },
      { ...item, artifactType: "b/b" },
    ];
    for (const filtered of [false, true]) {
      await using server = await WebServer.start((_request, response) =>
        answerJson(response, 200, { manifests }, filtered ? { "oci-filters-applied": "artifactType" } : {}),
      );
      await using registries = await user.open();
      const client = registries.repository(parseReference(`${server.host}/app`));
      const found = await listOf(client.referrers(digest, { artifactType: "a/a" }));
      expect(found).toHaveLength(filtered ? 2 : 1);
      expect(found[0]).toEqual({
        mediaType: "application/x",
        digest: item.digest,
        sizeBytes: 1,
        artifactType: "a/a",
        annotations: { k: "v" },
      });
      expect(server.log).toEqual([`GET /v2/app/referrers/${digest}?artifactType=a%2Fa`]);
    }
  });

  it("that are no descriptors are refused", async () => {
    await using server = await WebServer.start((_request, response) =>
      answerJson(response, 200, { manifests: [{ ...item, digest: "x" }] }),
    );
    await using registries = await user.open();
    const client = registries.repository(parseReference(`${server.host}/app`));
    await expect(listOf(client.referrers(digest))).rejects.toMatchObject({ code: "InvalidArgument" });
  });
});

describe("search", () => {
  const hubItem = { star_count: 5, is_official: true, is_automated: false };

  it("asks the Hub by its older request, and by the newer if that fails", async () => {
    await using v1 = await WebServer.start((_request, response) =>
      answerJson(response, 200, { results: [{ name: "nginx", description: "a server", ...hubItem }] }),
    );
    await using v2 = await WebServer.start((_request, response) =>
      answerJson(response, 200, {
        results: [{ repo_name: "library/nginx", short_description: "a server", ...hubItem }],
      }),
    );
    await using registries = await user.open();
    const found = { name: "nginx", description: "a server", stars: 5, isOfficial: true, isAutomated: false };
    const search = (first: string) =>
      registries.host("docker.io").search("ngi nx", { limit: 3, hub: { v1: first, v2: v2.url } });
    expect(await search(v1.url)).toEqual([found]);
    expect(v1.log).toEqual(["GET /v1/search?q=ngi+nx&n=3"]);
    await using gone = await WebServer.start((_request, response) => answerJson(response, 410, {}));
    expect(await search(gone.url)).toEqual([found]);
    expect(v2.log).toEqual(["GET /v2/search/repositories/?query=ngi+nx&page_size=3"]);
  });

  it("looks through the catalog of a registry that cannot search", async () => {
    await using server = await WebServer.start((_request, response, { url }) =>
      url.startsWith("/v2/_catalog")
        ? answerJson(response, 200, {
            repositories: ["app", "team/APPLE".toLowerCase(), "other", "third/app"],
          })
        : answerJson(response, 404, {}),
    );
    await using registries = await user.open();
    const found = await registries.host(server.host).search("App", { limit: 2 });
    expect(found.map(({ name }) => name)).toEqual(["app", "team/apple"]);
    await expect(registries.host(server.host).search("x", { limit: 101 })).rejects.toMatchObject({
      code: "InvalidArgument",
    });
  });
});
