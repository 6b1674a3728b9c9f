import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { Scratch } from "@strata/conformance/suite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { User } from "./support/user.ts";
import { answerJson, WebServer } from "./support/web-server.ts";

let scratch: Scratch;
let user: User;

beforeEach(() => {
  scratch = new Scratch();
  user = new User(scratch);
});
afterEach(() => scratch[Symbol.asyncDispose]());

const enough = new Error("enough");

/** A registry that wants a token, and whose token server never answers. */
function silentTokens(): Promise<WebServer> {
  return WebServer.start((request, response) => {
    if (request.url === "/hello") return answerJson(response, 200, {});
    if (request.url?.startsWith("/token")) return;
    const challenge = `Bearer realm="http://${request.headers.host}/token",service="s"`;
    answerJson(response, 401, {}, { "www-authenticate": challenge });
  });
}

describe("registries that are closed after an abort", () => {
  it("ask no token server again", async () => {
    await using server = await silentTokens();
    user.logIn({ [server.host]: "ann:secret" });
    const registries = await user.open();
    const controller = new AbortController();
    const asking = registries.host(server.host).ping(controller.signal);
    const posts = () => server.log.filter((line) => line === "POST /token");
    await expect.poll(posts).toHaveLength(1);
    controller.abort(enough);
    await expect(asking).rejects.toBe(enough);
    await registries.close();
    // Longer than a retry would take.
    for (let n = 0; n < 20; n++) await (await fetch(`${server.url}/hello`)).text();
    expect(posts()).toHaveLength(1);
  });

  it("end a credential helper that waits for its user", async () => {
    await using server = await silentTokens();
    const pidFile = scratch.join("pid");
    user.addHelper("waits", `echo $$ > ${pidFile}.new && mv ${pidFile}.new ${pidFile}; exec sleep 600`);
    user.write(".docker/config.json", { credsStore: "waits" });
    const registries = await user.open();
    const controller = new AbortController();
    const asking = registries.host(server.host).ping(controller.signal);
    await expect.poll(() => existsSync(pidFile), { timeout: 10_000 }).toBe(true);
    const pid = Number(readFileSync(pidFile, "utf8"));
    controller.abort(enough);
    await expect(asking).rejects.toBe(enough);
    await registries.close();
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);
    expect(user.notices).toEqual([]);
  });

  it("give up a host that answers no handshake", async () => {
    const ended: Promise<unknown>[] = [];
    const server = createServer((socket) => {
      ended.push(new Promise((resolve) => socket.on("error", () => {}).once("close", resolve)));
      socket.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("it does not listen");
    try {
      const registries = await user.open();
      const controller = new AbortController();
      const asking = registries.host(`127.0.0.1:${address.port}`).ping(controller.signal);
      await expect.poll(() => ended.length).toBe(1);
      controller.abort(enough);
      await expect(asking).rejects.toBe(enough);
      await registries.close();
      await ended[0];
    } finally {
      server.close();
    }
  }, 5000);
});

describe("registries that are closed", () => {
  it("end what is under way, and begin nothing any more", async () => {
    await using server = await WebServer.start(() => {});
    const registries = await user.open();
    const asking = registries.host(server.host).ping();
    await expect.poll(() => server.log).toEqual(["GET /v2/"]);
    const closed = { code: "FailedPrecondition", message: "the registries have been closed" };
    const ended = expect(asking).rejects.toMatchObject(closed);
    await registries.close();
    await ended;
    await expect(registries.host(server.host).ping()).rejects.toMatchObject(closed);
    await registries.close();
    expect(server.log).toEqual(["GET /v2/"]);
  });
});
