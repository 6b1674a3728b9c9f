import { once } from "node:events";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Scratch } from "@strata/conformance/suite";
import { hash } from "bcryptjs";
import { beforeAll, describe, expect, it } from "vitest";
import { selfSigned } from "../../server/test/support/certificate.ts";
import { writeArchive } from "./support/archive.ts";
import { Serving } from "./support/serving.ts";
import { Strata, useScratch, useStrata } from "./support/strata.ts";

const scratch = useScratch();
const store = useStrata(scratch, "vfs");
let strata: Strata;
let htpasswd: string;

beforeAll(async () => {
  strata = store.strata;
  const archive = scratch.join("app.tar");
  // So much of it is random that it stays larger than all buffers on the way.
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString("base64");
  writeArchive(archive, { tags: ["app:1", "team/app:2"], layers: [{ big: random.repeat(150) }] });
  await strata.ok("load", "-qi", archive);
  htpasswd = scratch.join("users");
  writeFileSync(htpasswd, `ann:${await hash("very secret", 4)}\n`);
});

const basic = (login: string) => ({ headers: { authorization: `Basic ${btoa(login)}` } });

/** The digest of the one layer of `app:1`. */
async function layerOf({ url }: Serving): Promise<string> {
  const accept =
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
  const answer = await fetch(`${url}/v2/app/manifests/1`, { headers: { accept } });
  const { layers } = JSON.parse(await answer.text());
  return layers[0].digest;
}

describe("serve", () => {
  it("says where, and how to use it; what is there can be had", async () => {
    await using serving = await Serving.start(strata);
    const { host, url, output } = serving;
    expect(output.stdout).toBe(
      [
        `Serving the images of ${strata.root} at http://${host}`,
        `  docker pull ${host}/NAME`,
        `  podman pull --tls-verify=false ${host}/NAME`,
        `  strata pull ${host}/NAME`,
        `  docker push ${host}/NAME\n`,
      ].join("\n"),
    );
    const catalog = await fetch(`${url}/v2/_catalog`);
    expect(await catalog.json()).toEqual({ repositories: ["app", "team/app"] });
  });

  it("lets another store pull, and lists what is pushed", async () => {
    await using serving = await Serving.start(strata);
    const { host, url } = serving;
    const other = new Strata(scratch.join("other"), "vfs");
    await other.ok("pull", `${host}/app:1`);
    const id = ["images", "--no-trunc", "-q"];
    expect(await other.ok(...id, `${host}/app`)).toBe(await strata.ok(...id, "app"));
    expect(await other.ok("tags", `${host}/team/app`)).toBe("2");
    const manifest = await fetch(`${url}/v2/app/manifests/1`);
    const put = { method: "PUT", body: Buffer.from(await manifest.arrayBuffer()) };
    const type = manifest.headers.get("content-type") ?? "";
    const pushed = await fetch(`${url}/v2/pushed/manifests/3`, { ...put, headers: { "content-type": type } });
    expect(pushed.status).toBe(201);
    expect(await strata.ok("images", "--format", "{{.Repository}}:{{.Tag}}", "pushed")).toBe("pushed:3");
    await strata.ok("rmi", "pushed:3");
    expect((await fetch(`${url}/v2/pushed/manifests/3`)).status).toBe(404);
  });

  it("prints a line for each request, and no password", async () => {
    await using serving = await Serving.start(strata, ["--htpasswd", htpasswd]);
    expect(serving.output.stdout).toContain(`  docker login ${serving.host}\n`);
    await fetch(`${serving.url}/v2/`, basic("ann:mistyped secret"));
    await fetch(`${serving.url}/v2/app/tags/list?n=5`, basic("ann:very secret"));
    await sendRaw(
      serving,
      "GET http://ann:very%20secret@host/v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    const log = await serving.log(3);
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /;
    for (const line of log) expect(line).toMatch(time);
    expect(log.map((line) => line.replace(time, "").replace(/\d+ms$/, "MS"))).toEqual([
      "127.0.0.1 - GET /v2/ 401 87B MS",
      "127.0.0.1 ann GET /v2/app/tags/list?n=5 200 27B MS",
      "127.0.0.1 - GET http://host/v2/ 404 130B MS",
    ]);
    expect(serving.output.stderr).not.toContain("secret");
  });

  it("tells of its own trouble, which clients hear no more of than that", async () => {
    await using serving = await Serving.start(strata, ["-q"]);
    const { headers } = await fetch(`${serving.url}/v2/app/manifests/1`);
    const digest = headers.get("docker-content-digest") ?? "";
    const blob = join(strata.root, "blobs", digest.replace(":", "/"));
    const bytes = readFileSync(blob);
    try {
      writeFileSync(blob, "something else");
      const answer = await fetch(`${serving.url}/v2/app/manifests/1`);
      expect(answer.status).toBe(500);
      expect(await answer.text()).not.toContain("sha256");
      const [line] = await serving.log(1);
      expect(line).toMatch(new RegExp(`Z ERROR GET /v2/app/manifests/1: .*${digest}`));
    } finally {
      writeFileSync(blob, bytes);
    }
  });

  it("tells that its users cannot be read any more", async () => {
    const users = scratch.join("changing users");
    copyFileSync(htpasswd, users);
    await using serving = await Serving.start(strata, ["-q", "--htpasswd", users]);
    writeFileSync(users, "ann:very secret\n");
    expect((await fetch(`${serving.url}/v2/`, basic("ann:very secret"))).status).toBe(200);
    const [line] = await serving.log(1);
    expect(line).toMatch(/Z ERROR .*changing users: line 1 \(ann\): .*the users it had before are let in$/);
  });

  it("prints JSON instead, all of it on standard output", async () => {
    await using serving = await Serving.start(strata, ["--json", "--max-blob-size", "1kB"]);
    const begun = await fetch(`${serving.url}/v2/app/blobs/uploads/`, { method: "POST" });
    const upload = `${serving.url}${begun.headers.get("location")}`;
    expect((await fetch(upload, { method: "PATCH", body: "x".repeat(999) })).status).toBe(202);
    expect((await fetch(upload, { method: "PATCH", body: "xx" })).status).toBe(413);
    while (serving.output.stdout.split("\n").length < 5) await serving.more("stdout");
    const [listening, ...requests] = serving.output.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(listening).toEqual({ kind: "listening", url: serving.url });
    const request = { kind: "request", remoteAddress: "127.0.0.1", durationMs: expect.any(Number) };
    expect(requests).toMatchObject([
      { ...request, method: "POST", status: 202, receivedBytes: 0, sentBytes: 0 },
      { ...request, method: "PATCH", status: 202, receivedBytes: 999, sentBytes: 0 },
      { ...request, method: "PATCH", status: 413, receivedBytes: 0, sentBytes: expect.any(Number) },
    ]);
    expect(serving.output.stderr).toBe("");
  });

  it("is quiet with -q, but for its address", async () => {
    await using serving = await Serving.start(strata, ["-q"]);
    await fetch(`${serving.url}/v2/`);
    serving.signal("SIGTERM");
    expect(await serving.ended()).toBe(0);
    expect(serving.output).toEqual({ stdout: `${serving.url}\n`, stderr: "" });
  });
});

describe("who may", () => {
  it("pulls without a password, and pushes with one", async () => {
    await using serving = await Serving.start(strata, ["--htpasswd", htpasswd, "--anonymous-read"]);
    const begin = { method: "POST" };
    const uploads = `${serving.url}/v2/app/blobs/uploads/`;
    expect((await fetch(`${serving.url}/v2/app/tags/list`)).status).toBe(200);
    expect((await fetch(uploads, begin)).status).toBe(401);
    expect((await fetch(uploads, { ...begin, ...basic("ann:very secret") })).status).toBe(202);
  });

  it("is said where others reach it", async () => {
    await using certificates = new Scratch();
    const { cert, key } = selfSigned(certificates);
    const users = ["--htpasswd", htpasswd];
    const tls = ["--tls-cert", cert, "--tls-key", key];
    const [anybody, readable] = ["may pull, push and delete images", "can be read and changed"];
    for (const [args, warnings] of [
      [[], [anybody, `Images ${readable}`]],
      [users, [`Passwords and images ${readable}`]],
      [tls, [anybody]],
      [[...users, ...tls], []],
    ] as const) {
      await using serving = await Serving.start(strata, ["--addr", ":0", ...args]);
      const port = new URL(serving.url).port;
      expect(serving.output.stdout).toContain(`docker pull localhost:${port}/NAME\n`);
      expect(serving.output.stderr.split("\n").slice(0, -1)).toEqual(
        warnings.map((warning) => expect.stringMatching(`^WARNING! .*${warning}`)),
      );
    }
  });

  it.each([
    ["0", /^http:\/\/127\.0\.0\.1:\d+$/],
    ["localhost:0", /^http:\/\/localhost:\d+$/],
    ["127.0.0.5:0", /^http:\/\/127\.0\.0\.5:\d+$/],
    ["[::1]:0", /^http:\/\/\[::1\]:\d+$/],
  ])("is this machine alone at %s", async (address, url) => {
    await using serving = await Serving.start(strata, ["--addr", address]);
    expect(serving.url).toMatch(url);
    expect((await fetch(`${serving.url}/v2/`)).status).toBe(200);
    expect(serving.output.stderr).not.toContain("WARNING");
  });
});

describe("a signal", () => {
  /** A download that has begun, and of which nobody reads more than its beginning. */
  async function download(serving: Serving): Promise<IncomingMessage> {
    const digest = await layerOf(serving);
    const [answer] = await once(get(`${serving.url}/v2/app/blobs/${digest}`, { agent: false }), "response");
    return answer;
  }

  it.each(["SIGINT", "SIGTERM"] as const)(
    "%s lets what is under way end, and nothing new begin",
    async (signal) => {
      await using serving = await Serving.start(strata, ["-q"]);
      const begun = await fetch(`${serving.url}/v2/app/blobs/uploads/`, { method: "POST" });
      const location = `${serving.url}${begun.headers.get("location")}`;
      await fetch(location, { method: "PATCH", body: "nobody goes on with this" });
      const answer = await download(serving);
      serving.signal(signal);
      await expect.poll(() => isRefused(serving), { timeout: 30_000 }).toBe(true);
      expect((await text(answer)).length).toBeGreaterThan(1_000_000);
      expect(await serving.ended()).toBe(0);
      expect(serving.output.stderr).toBe("");
      expect(readdirSync(join(strata.root, "ingest"))).toEqual([]);
      expect(await strata.ok("check")).toBe("No problems found");
    },
  );

  it("that comes twice ends it at once", async () => {
    await using serving = await Serving.start(strata, ["-q"]);
    const answer = await download(serving);
    serving.signal("SIGINT");
    await expect.poll(() => isRefused(serving), { timeout: 30_000 }).toBe(true);
    serving.signal("SIGINT");
    expect(await serving.ended()).toBe(130);
    await expect(text(answer)).rejects.toThrow("aborted");
  });
});

describe("what cannot be served", () => {
  it("says that the port is taken", async () => {
    await using serving = await Serving.start(strata);
    expect(await strata.fails("serve", "--addr", serving.host)).toBe(
      `Error: cannot listen on ${serving.host}: another program does; choose another`,
    );
  });

  it("says what is wrong with a file", async () => {
    const empty = scratch.join("empty");
    writeFileSync(empty, "");
    const plain = scratch.join("plain");
    writeFileSync(plain, "ann:very secret\n");
    expect(await strata.fails("serve", "--htpasswd", scratch.join("none"))).toContain(
      "there is no such file",
    );
    expect(await strata.fails("serve", "--htpasswd", empty)).toContain("there is no user in it");
    const refused = await strata.fails("serve", "--htpasswd", plain);
    expect(refused).toContain("line 1 (ann): expected a user and a bcrypt hash");
    expect(refused).not.toContain("secret");
    expect(await strata.fails("serve", "--tls-cert", empty, "--tls-key", empty)).toContain(
      "not a certificate and its key, as PEM",
    );
    const missing = scratch.join("none");
    expect(await strata.fails("serve", "--tls-cert", missing, "--tls-key", empty)).toContain(missing);
  });

  it.each([
    ["--tls-cert a", "--tls-cert and --tls-key go together"],
    ["--anonymous-read", "--anonymous-read needs --htpasswd"],
    ["--addr 127.0.0.1", "Not an address with a port"],
    ["--addr http://127.0.0.1:1", "Not an address with a port"],
    ["--addr :66000", "Not an address with a port"],
    ["--addr ::1:5000", "Not an address with a port"],
  ])("%s is not understood", async (args, message) => {
    const { code, stderr } = await strata.run(["serve", ...args.split(" ")]);
    expect(code).toBe(125);
    expect(stderr).toContain(message);
  });
});

/** Whether nobody listens there any more. */
async function isRefused({ url }: Serving): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, "connect");
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

async function sendRaw({ url }: Serving, request: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(request);
  await text(socket);
}
