import { Scratch } from "@strata/conformance/suite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { User } from "../../registry/test/support/user.ts";
import { answerJson, WebServer } from "../../registry/test/support/web-server.ts";
import { launcher, type Outcome, run } from "./support/strata.ts";

let scratch: Scratch;
let user: User;

beforeEach(() => {
  scratch = new Scratch();
  user = new User(scratch);
});
afterEach(() => scratch[Symbol.asyncDispose]());

async function search(...args: string[]): Promise<Outcome> {
  return await run(process.execPath, [launcher, "search", ...args], { env: user.env });
}

async function found(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await search(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

const nginx = {
  name: "nginx",
  description: "Official build of Nginx.",
  star_count: 20_000,
  is_official: true,
};
const proxy = {
  name: "jwilder/nginx-proxy",
  description: "Automated nginx proxy for Docker containers\nusing docker-gen",
  star_count: 2000,
  is_automated: true,
};
const unloved = { name: "me/nginx", description: "", star_count: 0 };

/** A registry that searches as docker.io does: not in the order of stars. */
const searching = () =>
  WebServer.start((_request, response, { url }) =>
    url.startsWith("/v1/search")
      ? answerJson(response, 200, { results: [unloved, proxy, nginx] })
      : answerJson(response, 404, {}),
  );

describe("search", () => {
  it("prints docker's table, the most popular first", async () => {
    await using server = await searching();
    const name = (text: string) => `${server.host}/${text}`.padEnd(server.host.length + 23);
    expect(await found(`${server.host}/ngi nx`)).toBe(
      [
        `${"NAME".padEnd(server.host.length + 23)}DESCRIPTION                                     STARS     OFFICIAL   AUTOMATED`,
        `${name("nginx")}Official build of Nginx.                        20000     [OK]       `,
        `${name("jwilder/nginx-proxy")}Automated nginx proxy for Docker containers …   2000                 [OK]`,
        `${name("me/nginx")}                                                0                    \n`,
      ].join("\n"),
    );
    expect(server.log).toEqual(["GET /v1/search?q=ngi+nx&n=25"]);
  });

  it("shows whole descriptions, templates and JSON", async () => {
    await using server = await searching();
    const term = `${server.host}/nginx`;
    expect(await found("--no-trunc", term)).toContain(
      "Automated nginx proxy for Docker containers using docker-gen ",
    );
    expect(await found("--format", "{{.Name}} {{.StarCount}}{{.IsOfficial}}", term)).toBe(
      [`${term} 20000[OK]`, `${server.host}/jwilder/nginx-proxy 2000`, `${server.host}/me/nginx 0\n`].join(
        "\n",
      ),
    );
    expect(await found("--format", "{{.IsAutomated}}", term)).toBe("\n[OK]\n\n");
    expect(JSON.parse(await found("--json", term))[0]).toEqual({
      name: term,
      description: nginx.description,
      stars: 20_000,
      isOfficial: true,
      isAutomated: false,
    });
  });

  it.each([
    [["stars=2000"], ["nginx", "jwilder/nginx-proxy"]],
    [["is-official=true"], ["nginx"]],
    [["is-official=false", "is-automated=0"], ["me/nginx"]],
    [["is-automated=true", "stars=2001"], []],
  ])("filters by %j", async (filters, names) => {
    await using server = await searching();
    const options = filters.flatMap((filter) => ["--filter", filter]);
    const stdout = await found(...options, "--format", "{{.Name}}", `${server.host}/nginx`);
    expect(stdout).toBe(names.map((name) => `${server.host}/${name}\n`).join(""));
    // What is filtered out makes room for others.
    expect(server.log).toEqual(["GET /v1/search?q=nginx&n=100"]);
  });

  it("lists so many at most", async () => {
    await using server = await searching();
    const names = ["--format", "{{.Name}}", `${server.host}/nginx`];
    expect(await found("--limit", "2", ...names)).toBe(
      `${server.host}/jwilder/nginx-proxy\n${server.host}/me/nginx\n`,
    );
    expect(await found("--limit", "1", "-f", "stars=1", ...names)).toBe(
      `${server.host}/jwilder/nginx-proxy\n`,
    );
    expect(server.log).toEqual(["GET /v1/search?q=nginx&n=2", "GET /v1/search?q=nginx&n=100"]);
  });

  it("looks through the catalog of a registry that cannot search, and lists it", async () => {
    await using server = await WebServer.start((_request, response, { url }) =>
      url.startsWith("/v2/_catalog")
        ? answerJson(response, 200, { repositories: ["web", "team/app", "app"] })
        : answerJson(response, 404, {}),
    );
    const names = ["--format", "{{.Name}}"];
    expect(await found(...names, `${server.host}/app`)).toBe(`${server.host}/team/app\n${server.host}/app\n`);
    expect((await found(...names, `${server.host}/`)).split("\n")).toHaveLength(4);
    expect(await found(`${server.host}/nothing`)).toBe(
      "NAME      DESCRIPTION   STARS     OFFICIAL   AUTOMATED\n",
    );
  });
});

describe("search refuses", () => {
  it.each([
    ["stars", "bad format of filter (expected name=value): stars"],
    ["stars=many", "invalid filter 'stars=many': expected a count"],
    ["is-official=maybe", "invalid filter 'is-official=maybe': expected true or false"],
    ["color=red", "invalid filter 'color': there are is-automated, is-official and stars"],
  ])("the filter %s", async (filter, message) => {
    expect(await search("--filter", filter, "x")).toEqual({
      code: 1,
      stdout: "",
      stderr: `Error: ${message}\n`,
    });
  });

  it.each(["0", "101", "-1", "all"])("the limit %s", async (limit) => {
    const { code, stderr } = await search("--limit", limit, "x");
    expect(code).toBe(125);
    expect(stderr).toMatch(/Outside the range of \[1, 100\]|Not a whole number/);
  });
});
