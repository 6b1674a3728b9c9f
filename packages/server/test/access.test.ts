import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { Scratch } from "@strata/conformance/suite";
import { hash } from "bcryptjs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { selfSigned } from "./support/certificate.ts";
import { Client, codesOf } from "./support/client.ts";
import { pushImage, sampleImage } from "./support/sample.ts";
import { ServedStore, type ServedStoreOptions } from "./support/served-store.ts";

let scratch: Scratch;
let served: ServedStore | undefined;

beforeEach(() => {
  scratch = new Scratch();
});

afterEach(async () => {
  await served?.[Symbol.asyncDispose]();
  served = undefined;
  await scratch[Symbol.asyncDispose]();
});

async function start(options: ServedStoreOptions): Promise<ServedStore> {
  served = await ServedStore.start(options);
  return served;
}

async function users(passwords: Readonly<Record<string, string>>): Promise<string> {
  const path = scratch.join("htpasswd");
  const lines = await Promise.all(
    Object.entries(passwords).map(async ([user, password]) => `${user}:${await hash(password, 4)}`),
  );
  // As Apache's htpasswd writes them.
  writeFileSync(path, `# who may\n\n${lines.join("\n").replaceAll("$2b$", "$2y$")}\n`);
  return path;
}

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});

describe("with htpasswd", () => {
  it("lets its users do everything, and nobody else anything", async () => {
    const { client } = await start({ htpasswd: await users({ ann: "secret", bob: "pass:word" }) });
    for (const headers of [basic("ann", "secret"), basic("bob", "pass:word")]) {
      expect((await client.get("/v2/", headers)).status).toBe(200);
      expect((await client.ask("POST", "/v2/app/blobs/uploads/", { headers })).status).toBe(202);
    }
    for (const headers of [
      {},
      basic("ann", "wrong"),
      basic("nobody", "secret"),
      { authorization: "Basic !" },
      { authorization: "Bearer a.b" },
    ]) {
      for (const [method, path] of [
        ["GET", "/v2/"],
        ["GET", "/v2/app/tags/list"],
        ["GET", "/v2/_catalog"],
        ["POST", "/v2/app/blobs/uploads/"],
        ["DELETE", "/v2/app/manifests/1"],
      ] as const) {
        const answer = await client.ask(method, path, { headers });
        expect(answer.status).toBe(401);
        expect(answer.headers["www-authenticate"]).toMatch(/^Basic realm="strata"/);
        expect(codesOf(answer)).toEqual(["UNAUTHORIZED"]);
      }
    }
    expect((await client.get("/token")).status).toBe(404);
  });

  it("learns of a changed file: who is gone is refused, who is new is let in", async () => {
    const { client } = await start({ htpasswd: await users({ ann: "secret" }) });
    expect((await client.get("/v2/", basic("ann", "secret"))).status).toBe(200);
    await users({ bob: "of mine, and longer" });
    expect((await client.get("/v2/", basic("ann", "secret"))).status).toBe(401);
    expect((await client.get("/v2/", basic("bob", "of mine, and longer"))).status).toBe(200);
  });

  it("lets in who was in it while it cannot be read, and says so once", async () => {
    const path = await users({ ann: "secret" });
    const { client, errors } = await start({ htpasswd: path });
    const right = readFileSync(path);
    const expectIn = async () => expect((await client.get("/v2/", basic("ann", "secret"))).status).toBe(200);
    const stay = "; until this is mended, the users it had before are let in";
    const halfWritten = { message: expect.stringMatching(`line 1 \\(bob\\).*${stay}$`) };
    const gone = { message: expect.stringMatching(`no such file.*${stay}$`) };

    writeFileSync(path, "bob:$2y$04$");
    for (let i = 0; i < 3; i++) await expectIn();
    expect(errors).toMatchObject([halfWritten]);
    for (let i = 0; i < 2; i++) {
      rmSync(path);
      for (let i = 0; i < 3; i++) await expectIn();
      writeFileSync(path, right);
      await expectIn();
    }
    expect(errors).toMatchObject([halfWritten, gone, gone]);
    await users({ bob: "another" });
    expect((await client.get("/v2/", basic("ann", "secret"))).status).toBe(401);
  });

  it.each([
    ["MD5", "ann:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", /line 1 \(ann\).*bcrypt.*htpasswd -B/],
    ["SHA-1", "# comment\nann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", /line 2 \(ann\)/],
    ["crypt", "ann:rqXexS6ZhobKA", /line 1 \(ann\)/],
    ["no user", "\n# nobody\n", /no user/],
    ["no colon", "ann", /line 1:/],
  ])("refuses a file with %s when it starts", async (_, content, message) => {
    const path = scratch.join("htpasswd");
    writeFileSync(path, content);
    await expect(ServedStore.start({ htpasswd: path })).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringMatching(message),
    });
  });

  it("refuses a file that is not there", async () => {
    const htpasswd = scratch.join("none");
    await expect(ServedStore.start({ htpasswd })).rejects.toMatchObject({ code: "NotFound" });
  });
});

describe("with htpasswd and anonymous reading", () => {
  const token = async (client: Client, headers = {}): Promise<{ authorization: string }> => {
    const answer = await client.get("/token?service=strata&scope=repository:app:pull,push", headers);
    expect(answer.status).toBe(200);
    return { authorization: `Bearer ${JSON.parse(answer.body.toString()).token}` };
  };

  beforeEach(async () => {
    const { client } = await start({ htpasswd: await users({ ann: "secret" }), anonymousRead: true });
    const writer = new Client(served?.server.url ?? "");
    const headers = await token(client, basic("ann", "secret"));
    const image = await sampleImage();
    const ask = writer.ask.bind(writer);
    writer.ask = (method, target, options = {}) =>
      ask(method, target, { ...options, headers: { ...headers, ...options.headers } });
    await pushImage(writer, "app", "1", image);
    writer.close();
  });

  const client = (): Client => {
    if (served === undefined) throw new Error("not started");
    return served.client;
  };

  it("lets anybody read, with a token for nobody or without any", async () => {
    for (const headers of [{}, await token(client())]) {
      expect((await client().get("/v2/app/manifests/1", headers)).status).toBe(200);
      expect((await client().get("/v2/_catalog", headers)).status).toBe(200);
      for (const [method, path] of [
        ["POST", "/v2/app/blobs/uploads/"],
        ["DELETE", "/v2/app/manifests/1"],
        ["PUT", "/v2/app/manifests/1"],
      ] as const) {
        const answer = await client().ask(method, path, { headers });
        expect(answer.status).toBe(401);
        const realm = `${served?.server.url}/token`;
        expect(answer.headers["www-authenticate"]).toBe(
          `Bearer realm="${realm}",service="strata",scope="repository:app:pull,push"`,
        );
      }
    }
  });

  it("tells where tokens are to be had, and refuses a wrong password", async () => {
    expect((await client().get("/v2/")).headers["www-authenticate"]).toMatch(/^Bearer realm="http:/);
    expect((await client().get("/v2/", await token(client()))).status).toBe(200);
    expect((await client().get("/token", basic("ann", "wrong"))).status).toBe(401);
    expect((await client().get("/v2/app/manifests/1", basic("ann", "wrong"))).status).toBe(401);
  });

  it("tells so with https behind a proxy that speaks TLS", async () => {
    const realm = async (proto: string) =>
      (await client().get("/v2/", { "x-forwarded-proto": proto })).headers["www-authenticate"];
    const { host } = new URL(served?.server.url ?? "");
    expect(await realm("https")).toContain(`realm="https://${host}/token"`);
    for (const other of ["http", "gopher"])
      expect(await realm(other)).toContain(`realm="http://${host}/token"`);
  });

  it("takes no token but its own", async () => {
    const { authorization } = await token(client());
    const [head = "", signature = ""] = authorization.slice(7).split(".");
    const forged = Buffer.from(JSON.stringify({ user: "ann", expires: 9e9 })).toString("base64url");
    for (const text of [`${forged}.${signature}`, `${head}.${signature.slice(1)}`, head, "."]) {
      const headers = { authorization: `Bearer ${text}` };
      expect((await client().ask("POST", "/v2/app/blobs/uploads/", { headers })).status).toBe(401);
      expect((await client().get("/v2/app/manifests/1", headers)).status).toBe(401);
    }
  });
});

describe("over TLS", () => {
  it("serves the same", async () => {
    const tls = selfSigned(scratch);
    const { server } = await start({ tls });
    expect(server.url).toMatch(/^https:/);
    const client = new Client(server.url, readFileSync(tls.cert, "utf8"));
    const image = await sampleImage();
    await pushImage(client, "app", "1", image);
    expect((await client.get(`/v2/app/blobs/${image.id}`)).body).toEqual(image.config);
    await expect(new Client(server.url).get("/v2/")).rejects.toThrow(/self-signed/);
    client.close();
  });

  it("needs a certificate and its key", async () => {
    const { cert } = selfSigned(scratch);
    await expect(ServedStore.start({ tls: { cert, key: cert } })).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining(cert),
    });
    await expect(ServedStore.start({ tls: { cert, key: scratch.join("none") } })).rejects.toMatchObject({
      code: "NotFound",
    });
  });
});
