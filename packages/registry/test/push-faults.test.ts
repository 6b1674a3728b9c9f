import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describeWith } from "@strata/conformance";
import { randomNumbers, Scratch } from "@strata/conformance/suite";
import { isStrataError } from "@strata/core";
import { push, type Registries } from "@strata/registry";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { imageOf } from "../../store/test/support/image.ts";
import { Authority } from "./support/certificates.ts";
import type { Fault, WholeAnswer } from "./support/faulty-proxy.ts";
import { random } from "./support/pulling.ts";
import { isPartOfUpload, Pushing } from "./support/pushing.ts";
import { TokenServer } from "./support/token-server.ts";
import type { RecordedRequest } from "./support/web-server.ts";

const rounds = Number(process.env["STRATA_PUSHES"] ?? 20);
const seed = Number(process.env["STRATA_SEED"] ?? Date.now() % 1e9);

const partBytes = 100_000;

describeWith("a push over a bad line", ["docker-registry"], () => {
  let room: Pushing;
  let repository = 0;
  const image = "registry.example.com/image:1";

  beforeAll(async () => {
    room = await Pushing.start();
    await room.load(await imageOf([{ a: random(350_000) }]));
    const { store } = room.room.opened;
    await store.tag(room.room.reference().toString(), image);
    await store.removeImages([room.room.reference().toString()]);
  });
  afterAll(() => room?.[Symbol.asyncDispose]());
  beforeEach(() => {
    room.room.calm();
    // What a push that gave up has left.
    rmSync(join(room.room.opened.root, "uploads"), { recursive: true, force: true });
  });

  /** Push to a repository that is new, and see that all is right in the end. */
  async function pushAnew(
    fault: (request: RecordedRequest) => Fault | undefined,
    options: { readonly partBytes?: number } = {},
  ): Promise<void> {
    const { store } = room.room.opened;
    const name = `app${++repository}:1`;
    const reference = room.room.reference(name).toString();
    await store.tag(image, reference);
    try {
      room.proxy.fault = fault;
      await room.push(name, { partBytes, uploads: 1, ...options });
      room.proxy.fault = () => undefined;
      await room.expectPushed(name);
    } finally {
      // There shall be nothing to mount.
      await store.removeImages([reference]);
    }
  }

  const begun = () => room.proxy.requests.filter(({ method }) => method === "POST").length;

  /** The first requests of a kind fail so. */
  function first(times: number, method: string, path: string, fault: Fault) {
    let left = times;
    return (request: RecordedRequest): Fault | undefined =>
      request.method === method && request.url.includes(path) && left-- > 0 ? fault : undefined;
  }

  it.each([
    ["PATCH", 1],
    ["PATCH", 54_321],
    ["PATCH", 99_999],
    ["PUT", 200_000],
  ] as const)(
    "begins anew where docker's registry lost all by a cut of a %s after %i bytes",
    async (method, afterBytes) => {
      const options = method === "PUT" ? { partBytes: 1_000_000 } : {};
      await pushAnew(first(1, method, "/blobs/uploads/", { kind: "cut-request", afterBytes }), options);
      // The layer twice, the config once.
      expect(begun()).toBe(3);
    },
  );

  it("goes on with the upload where a part did not come to the registry at all", async () => {
    await pushAnew(first(2, "PATCH", "/blobs/uploads/", { kind: "cut", afterBytes: -1 }));
    expect(begun()).toBe(2);
  });

  it.each([
    ["the registry's trouble", { kind: "answer", status: 500 }],
    ["a registry out of service", { kind: "answer", status: 503 }],
    ["too many requests", { kind: "answer", status: 429, headers: { "retry-after": "1" } }],
    ["a token that has expired", { kind: "answer", status: 401 }],
  ] as const)("sends no part twice that has arrived, after %s", async (_, fault) => {
    let parts = 0;
    await pushAnew((request) => (request.method === "PATCH" && ++parts === 2 ? fault : undefined));
    expect(begun()).toBe(2);
    const patches = room.sent.filter(({ method }) => method === "PATCH").map(({ from }) => from);
    expect(patches).toEqual([0, partBytes, partBytes, 2 * partBytes, 3 * partBytes]);
  });

  it("waits as long as the registry asks, and no longer than anybody should", async () => {
    const asking = { kind: "answer", status: 429, headers: { "retry-after": "3600" } } as const;
    const pushed = pushAnew((request) => (request.method === "PATCH" ? asking : undefined));
    await expect(pushed).rejects.toMatchObject({
      code: "Busy",
      message: expect.stringContaining("; try again in 3600 s"),
    });
  });

  it.each([
    ["a part", "PATCH", "/blobs/uploads/"],
    ["the end of an upload", "PUT", "/blobs/uploads/"],
    ["a manifest", "PUT", "/manifests/"],
    ["the beginning of an upload", "POST", "/blobs/uploads/"],
  ])("copes with the loss of the answer to %s", async (_, method, path) => {
    await pushAnew(first(1, method, path, { kind: "lose-answer" }));
    const blobs = room.sent.filter((sent) => sent.method === "PUT");
    // If it is there, nothing of it is sent again.
    expect(blobs).toHaveLength(2);
  });

  it.each([404, 405, 416, 400, 501])("sends all at once where parts are refused with %i", async (status) => {
    await pushAnew(({ method }) => (method === "PATCH" ? { kind: "answer", status } : undefined));
    const [part, whole] = room.sent;
    expect(part).toMatchObject({ method: "PATCH", bytes: partBytes });
    expect(whole?.method).toBe("PUT");
    expect(whole?.bytes).toBeGreaterThan(350_000);
  });

  it("begins anew where the registry has forgotten the upload", async () => {
    let parts = 0;
    await pushAnew(({ method }) => {
      if (method === "PATCH" && ++parts === 3) forget();
      return undefined;
    });
    expect(begun()).toBe(3);
  });

  function forget(): void {
    const repositories = join(room.room.server.storage, "docker/registry/v2/repositories");
    for (const name of readdirSync(repositories))
      rmSync(join(repositories, name, "_uploads"), { recursive: true, force: true });
  }

  it("sends again what came to the registry as something else", async () => {
    await pushAnew(first(1, "PATCH", "/blobs/uploads/", { kind: "flip-request", atByte: 50_000 }));
    expect(begun()).toBe(3);
  });

  it.each([
    ["cut", { kind: "cut-request", afterBytes: 50_000 }],
    ["lost", { kind: "lose-answer" }],
    ["unanswered", { kind: "answer", status: 502 }],
  ] as const)("gives up where each part is %s", async (_, fault) => {
    const pushed = pushAnew(({ method }) => (method === "PATCH" ? fault : undefined));
    await expect(pushed).rejects.toMatchObject({ code: "Aborted" });
    expect(room.sent.length).toBeLessThanOrEqual(5);
    expect(room.proxy.log.filter((line) => line.includes("/manifests/"))).toEqual([]);
  });

  it("sends parts as large as the registry wants them", async () => {
    const min = ({ status, headers, body }: WholeAnswer): WholeAnswer => ({
      status,
      headers: { ...headers, "oci-chunk-min-length": "200000" },
      body,
    });
    await pushAnew(({ method }) => (method === "POST" ? { kind: "change", change: min } : undefined));
    expect(room.sent[0]).toMatchObject({ method: "PATCH", from: 0, bytes: 200_000 });
  });

  it("goes on where Location leads, on another host, too", async () => {
    const { server } = room.room;
    const elsewhere = ({ status, headers, body }: WholeAnswer): WholeAnswer => {
      const location = new URL(headers.location ?? "", server.url);
      location.host = server.directHost;
      return { status, headers: { ...headers, location: location.href }, body };
    };
    await pushAnew(({ method }) => (method === "POST" ? { kind: "change", change: elsewhere } : undefined));
    expect(room.sent).toEqual([]);
  });
});

describeWith("a push with tokens", ["docker-registry", "openssl"], () => {
  const service = "a registry";

  it("sends what it may not read where it could be mounted from", async () => {
    await using scratch = new Scratch();
    const signing = await (await Authority.make(scratch, "signer")).issue("DNS:tokens");
    const refusedScope = "repository:base:pull";
    await using tokens = await TokenServer.start({
      signing,
      service,
      users: { ann: "secret" },
      refusedScope,
    });
    await using room = await Pushing.start("vfs", {
      server: { token: { realm: tokens.realm, service, rootCertificates: signing.cert } },
    });
    room.room.user.logIn({ [room.room.server.host]: "ann:secret" });
    await room.load(await imageOf([{ a: "a" }]), "base:1");
    await room.tag("base:1", "app:1");
    await room.push("app:1");
    expect(tokens.questions.flatMap(({ scopes }) => scopes)).toContain(refusedScope);
    expect(room.sent.map(({ method }) => method)).toEqual(["PUT", "PUT"]);
  });

  it("goes on with another one where it expires", async () => {
    await using scratch = new Scratch();
    const signing = await (await Authority.make(scratch, "signer")).issue("DNS:tokens");
    await using tokens = await TokenServer.start({ signing, service, users: { ann: "secret" } });
    const { realm } = tokens;
    await using room = await Pushing.start("vfs", {
      server: { token: { realm, service, rootCertificates: signing.cert } },
    });
    room.room.user.logIn({ [room.room.server.host]: "ann:secret" });
    await room.load(await imageOf([{ a: random(350_000) }]));
    let parts = 0;
    const challenge = `Bearer realm="${realm}",service="${service}",scope="repository:app:pull,push"`;
    room.proxy.fault = ({ method }) =>
      method === "PATCH" && ++parts === 2
        ? { kind: "answer", status: 401, headers: { "www-authenticate": challenge } }
        : undefined;
    await room.push("app:1", { partBytes, uploads: 1 });
    const patches = room.proxy.requests.filter(({ method }) => method === "PATCH");
    expect(room.sent.slice(0, 4).map(({ from }) => from)).toEqual([0, partBytes, partBytes, 2 * partBytes]);
    const used = patches.map(({ headers }) => tokens.tokens.indexOf(headers.authorization?.slice(7) ?? ""));
    expect(used).toEqual([0, 0, 1, 1, 1]);
  });
});

describeWith("pushes over a bad line", ["docker-registry"], () => {
  it(`end right or with a clear error, ${rounds} times from seed ${seed}`, async () => {
    await using room = await Pushing.start();
    await using hasty = await room.room.user.open({ attempts: 3, maxDelayMs: 20, answerTimeoutMs: 250 });
    const tally: Record<string, number> = {};
    for (let round = 0; round < rounds; round++) {
      const outcome = await pushBadly(room, hasty, seed + round).catch((error: unknown) => {
        throw new Error(`STRATA_SEED=${seed + round} STRATA_PUSHES=1`, { cause: error });
      });
      tally[outcome] = (tally[outcome] ?? 0) + 1;
    }
    console.info(`${rounds} pushes over a bad line, seed ${seed}: ${JSON.stringify(tally)}`);
    if (rounds >= 20) expect(Object.keys(tally).length).toBeGreaterThan(1);
  });
});

/** @returns "right", or the code of the error */
async function pushBadly(room: Pushing, registries: Registries, seed: number): Promise<string> {
  const numbers = randomNumbers(seed);
  for (let n = 0; n < 4; n++) numbers();
  room.room.calm();
  const name = `app${seed}:1`;
  await room.load(await imageOf([{ a: random(200_000) }, { b: random(40_000) }]), name);
  const chance = 0.1 + numbers() * 0.3;
  room.proxy.fault = (request) => (numbers() < chance ? randomFault(request, numbers) : undefined);
  const reference = room.room.reference(name);
  const error = await push(room.room.opened.store, registries, reference, { partBytes: 60_000 }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  room.room.calm();
  if (error !== undefined) {
    if (!isStrataError(error)) throw error;
    expect(error.message).toContain(room.room.server.host);
    await room.push(name, { partBytes: 60_000 });
  }
  await room.expectPushed(name);
  await room.room.remove(name);
  return error === undefined ? "right" : error.code;
}

function randomFault(request: RecordedRequest, numbers: () => number): Fault | undefined {
  const size = Number(request.headers["content-length"] ?? 0);
  const at = Math.floor(numbers() * size);
  const anywhere: readonly Fault[] = [
    { kind: "cut", afterBytes: -1 },
    { kind: "cut-headers" },
    { kind: "lose-answer" },
    { kind: "delay", ms: Math.floor(numbers() * 40) },
    { kind: "answer", status: 500, body: "<html>" },
    { kind: "answer", status: 503 },
    { kind: "answer", status: 429, headers: { "retry-after": "0" } },
    { kind: "answer", status: 502 },
    { kind: "answer", status: 403, body: "<html>" },
  ];
  const ofParts: readonly Fault[] = [
    { kind: "cut-request", afterBytes: at },
    { kind: "cut-request", afterBytes: at },
    { kind: "cut-request", afterBytes: at },
    { kind: "flip-request", atByte: at },
    { kind: "answer", status: 401 },
    { kind: "answer", status: 404 },
    { kind: "answer", status: 416 },
    { kind: "answer", status: 400 },
  ];
  const faults = isPartOfUpload(request) && size > 0 ? [...anywhere, ...ofParts] : anywhere;
  return faults[Math.floor(numbers() * faults.length)];
}
