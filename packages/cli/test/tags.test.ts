import { spawn } from "node:child_process";
import { once } from "node:events";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { parseReference } from "@strata/store";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DockerRegistry } from "../../registry/test/support/docker-registry.ts";
import { pushSample } from "../../registry/test/support/sample.ts";
import { User } from "../../registry/test/support/user.ts";
import { answerJson, WebServer } from "../../registry/test/support/web-server.ts";
import { cleanEnvironment, launcher, type Outcome, run } from "./support/strata.ts";

let scratch: Scratch;
let user: User;

beforeEach(() => {
  scratch = new Scratch();
  user = new User(scratch);
});
afterEach(() => scratch[Symbol.asyncDispose]());

async function tags(...args: string[]): Promise<Outcome> {
  return await run(process.execPath, [launcher, "tags", ...args], { env: user.env });
}

describeWith("of a registry", ["docker-registry"], () => {
  it("are listed, or it is said that there is no such repository", async () => {
    await using registry = await DockerRegistry.start();
    await using registries = await user.open();
    const app = registries.repository(parseReference(`${registry.host}/team/app`));
    for (const tag of ["v1", "v2", "latest"]) await pushSample(app, tag, { layerBytes: 10 });
    const listed = await tags(`${registry.host}/team/app`);
    expect({ ...listed, stdout: listed.stdout.split("\n").sort() }).toEqual({
      code: 0,
      stdout: ["", "latest", "v1", "v2"],
      stderr: "",
    });
    expect(JSON.parse((await tags("--json", `${registry.host}/team/app`)).stdout)).toHaveLength(3);
    expect(await tags(`${registry.host}/team/none`)).toEqual({
      code: 1,
      stdout: "",
      stderr: `Error: repository ${registry.host}/team/none not found: name unknown: repository name not known to registry\n`,
    });
  });
});

it("are printed as each page comes, in the registry's order", async () => {
  const seen = new AbortController();
  await using server = await WebServer.start(async (_request, response, { url }) => {
    if (!url.includes("last=")) {
      const link = '</v2/app/tags/list?n=1000&last=a>; rel="next"';
      return answerJson(response, 200, { tags: ["b", "a"] }, { link });
    }
    if (!seen.signal.aborted) await once(seen.signal, "abort");
    answerJson(response, 200, { tags: ["c"] });
  });
  const child = spawn(process.execPath, [launcher, "tags", `${server.host}/app`], {
    env: { ...cleanEnvironment(), ...user.env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
    if (printed === "b\na\n") seen.abort();
  });
  const [code] = await once(child, "close");
  expect({ code, printed }).toEqual({ code: 0, printed: "b\na\nc\n" });
});

it.each(["app:1", `app@sha256:${"0".repeat(64)}`])("of %s there are none", async (name) => {
  expect(await tags(name)).toEqual({
    code: 1,
    stdout: "",
    stderr: `Error: ${name} names an image: the tags are those of app\n`,
  });
});
