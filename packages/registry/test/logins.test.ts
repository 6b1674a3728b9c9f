import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import type { Registries } from "@strata/registry";
import { parseReference } from "@strata/store";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { DockerRegistry } from "./support/docker-registry.ts";
import { pushSample } from "./support/sample.ts";
import { User } from "./support/user.ts";

describeWith("a registry with passwords", ["docker-registry"], () => {
  let server: DockerRegistry;
  let scratch: Scratch;
  let user: User;
  let registries: Registries;
  const open = () => registries.repository(parseReference(`${server.host}/app`));

  beforeAll(async () => {
    server = await DockerRegistry.start({ users: { ann: "a:secret" } });
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  beforeEach(async () => {
    scratch = new Scratch();
    user = new User(scratch);
    registries = await user.open();
    server.proxy.requests.length = 0;
  });
  afterEach(async () => {
    await registries.close();
    await scratch[Symbol.asyncDispose]();
  });

  it("says in docker's words that nobody is logged in, and how to", async () => {
    await expect(open().getManifest("1")).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: expect.stringContaining(
        `no basic auth credentials; log in with \`strata login ${server.host}\``,
      ),
    });
    await expect(pushSample(open(), "1")).rejects.toThrow("no basic auth credentials");
    await expect(registries.host(server.host).ping()).rejects.toThrow("no basic auth credentials");
  });

  it("shows who asks once the registry wants to know, and from then on at once", async () => {
    user.logIn({ [server.host]: "ann:a:secret" });
    await pushSample(open(), "1");
    await open().getManifest("1");
    const refused = server.proxy.requests.filter(({ headers }) => headers.authorization === undefined);
    // Each repository is asked for once without.
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({ method: "POST" });
  });

  it("asks the helper of the registry, and tells it which", async () => {
    user.addHelper(
      "right",
      `read server; [ "$1 $server" = "get ${server.host}" ] && printf '{"Username":"ann","Secret":"a:secret"}'`,
    );
    user.write(".docker/config.json", { credHelpers: { [server.host]: "right" }, credsStore: "wrong" });
    await registries.host(server.host).ping();
  });

  it("does not ask helpers of a registry that lets everybody in", async () => {
    await using anybody = await DockerRegistry.start();
    user.addHelper("noisy", `touch ${user.path("asked")}; exit 1`);
    user.write(".docker/config.json", { credsStore: "noisy" });
    await registries.host(anybody.host).ping();
    expect(user.notices).toEqual([]);
    await registries
      .host(server.host)
      .ping()
      .catch(() => {});
    expect(user.notices).toHaveLength(1);
  });

  it("tries a login without keeping it", async () => {
    const host = registries.host(server.host);
    await host.verify({ username: "ann", password: "a:secret" });
    await expect(host.verify({ username: "ann", password: "wrong" })).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: expect.stringContaining("unauthorized: authentication required"),
    });
    await expect(host.ping()).rejects.toThrow("no basic auth credentials");
  });

  it("says that a credential is not accepted, without saying it", async () => {
    user.logIn({ [server.host]: "ann:wrongpassword" });
    const error = await open()
      .getManifest("1")
      .catch((error: unknown) => String(error));
    expect(error).toContain("pull access denied for");
    expect(error).toContain("unauthorized: authentication required");
    expect(error).not.toContain("wrongpassword");
  });
});
