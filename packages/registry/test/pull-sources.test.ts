import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { imageOf } from "../../store/test/support/image.ts";
import { Remote } from "../../store/test/support/remote.ts";
import { Authority } from "./support/certificates.ts";
import { type Fault, FaultyProxy } from "./support/faulty-proxy.ts";
import { Pulling, random } from "./support/pulling.ts";
import { TokenServer } from "./support/token-server.ts";

const files = [{ base: random(400_000) }, { upper: "upper" }];
const tree = Object.assign({}, ...files);
const login = "ann:secret";

describeWith("a pull with a mirror", ["docker-registry"], () => {
  let room: Pulling;
  let mirror: FaultyProxy;
  let remote: Remote;

  beforeEach(async () => {
    room = await Pulling.start();
    mirror = await FaultyProxy.start(`http://${room.server.directHost}`);
    remote = new Remote(await imageOf(files));
    await room.push(remote);
    await room.reopen({ registries: { [room.server.host]: { mirrors: [mirror.url] } }, attempts: 3 });
  });
  afterEach(async () => {
    await mirror[Symbol.asyncDispose]();
    await room[Symbol.asyncDispose]();
  });

  /** Let the mirror do something wrong with requests for a layer. */
  function failMirror(layer: number, fault: (count: number) => Fault | undefined): void {
    mirror.fault = ({ url, count }) => (url.endsWith(`/${remote.layers[layer]}`) ? fault(count) : undefined);
  }

  it("asks the registry for nothing that the mirror has", async () => {
    await room.pull();
    await room.expectWhole(remote, tree);
    expect(room.proxy.requests).toEqual([]);
  });

  it("asks the registry itself where the mirror sends a wrong layer", async () => {
    failMirror(0, () => ({ kind: "flip", atByte: 1000 }));
    await room.pull();
    await room.expectWhole(remote, tree);
    expect(room.layersAsked(remote)).toContainEqual({ layer: 0, from: 0 });
    const { host } = room.server;
    expect(room.user.notices).toEqual([
      expect.stringMatching(
        `^mirrors of ${host} are passed over: layer sha256:\\w+ of ${host}/app:1: .*digest`,
      ),
    ]);
  });

  it("does so too where what is wrong had come before", async () => {
    const [layer] = remote.layers;
    const wrong: Fault = {
      kind: "change",
      change: ({ status, headers }) => {
        const body = Buffer.alloc(50_000, "not what it should be");
        return { status, headers: { ...headers, "content-length": "50000" }, body };
      },
    };
    for (const flipped of [false, true]) {
      failMirror(0, (count) => (count === 1 ? wrong : { kind: "cut", afterBytes: -1 }));
      room.failBlob(layer, () => ({ kind: "cut", afterBytes: -1 }));
      await expect(room.pull()).rejects.toMatchObject({ code: "Aborted" });
      expect(room.arrived(layer)).toBe(50_000);
      await room.expectSound();

      // Whether the mirror is right by now or not.
      await room.reopen({ registries: { [room.server.host]: { mirrors: [mirror.url] } } });
      room.calm();
      mirror.requests.length = 0;
      failMirror(0, () => (flipped ? { kind: "flip", atByte: 1000 } : undefined));
      await room.pull();
      await room.expectWhole(remote, tree);
      const ofMirror = room.layersAsked(remote, mirror).filter((asked) => asked.layer === 0);
      expect(ofMirror.map(({ from }) => from)).toEqual([50_000, 0]);
      const ofRegistry = room.layersAsked(remote).filter((asked) => asked.layer === 0);
      expect(ofRegistry.map(({ from }) => from)).toEqual(flipped ? [0] : []);
      await room.remove();
      mirror.requests.length = 0;
    }
  });

  it.each<[string, (url: string) => Fault | undefined]>([
    [
      "a page in place of all",
      () => ({ kind: "answer", status: 200, headers: { "content-type": "text/html" }, body: "<html>" }),
    ],
    ["a wrong config", (url) => (url.endsWith(remote.image.id) ? { kind: "flip", atByte: 10 } : undefined)],
    ["a wrong manifest", (url) => (url.includes("/manifests/") ? { kind: "flip", atByte: 10 } : undefined)],
    ["no blobs", (url) => (url.includes("/blobs/") ? { kind: "answer", status: 404 } : undefined)],
    [
      "blobs that never begin",
      (url) => (url.includes("/blobs/") ? { kind: "cut", afterBytes: 0 } : undefined),
    ],
  ])("is right where the mirror sends %s", async (_what, fault) => {
    mirror.fault = ({ url }) => fault(url);
    await room.pull();
    await room.expectWhole(remote, tree);
    expect(mirror.requests).not.toEqual([]);
  });

  it("gets a newer image than the mirror's where the old one is gone", async () => {
    const newer = new Remote(await imageOf([{ base: "newer" }]));
    await room.push(newer, "app:2");
    mirror.fault = ({ url }) => {
      if (url.endsWith("/manifests/2")) {
        const headers = { "content-type": "application/vnd.oci.image.manifest.v1+json" };
        const gone = String(remote.manifest).replaceAll(/sha256:\w{4}/g, "sha256:0000");
        return { kind: "answer", status: 200, headers, body: gone };
      }
      return undefined;
    };
    expect((await room.pull("app:2")).id).toBe(newer.image.id);
    await room.expectWhole(newer, { base: "newer" }, "app:2");
  });
});

describeWith("a pull by somebody who is known", ["docker-registry", "openssl"], () => {
  let scratch: Scratch;
  let remote: Remote;

  beforeEach(async () => {
    scratch = new Scratch();
    remote = new Remote(await imageOf(files));
  });
  afterEach(() => scratch[Symbol.asyncDispose]());

  it("with a password", async () => {
    await using room = await Pulling.start("vfs", { server: { users: { ann: "secret" } } });
    const { server, user } = room;
    await expect(room.pull()).rejects.toThrow("no basic auth credentials");
    user.logIn({ [server.host]: login, [server.directHost]: login });
    await room.reopen({});
    await room.push(remote);
    await room.pull();
    await room.expectWhole(remote, tree);
  });

  it("with tokens, one for all of it", async () => {
    const signing = await (await Authority.make(scratch, "signer")).issue("DNS:tokens");
    const service = "a registry";
    const users = { ann: "secret" };
    await using tokens = await TokenServer.start({ signing, service, users, closed: true });
    const token = { realm: tokens.realm, service, rootCertificates: signing.cert };
    await using room = await Pulling.start("vfs", { server: { token } });
    const { server, user } = room;
    user.logIn({ [server.host]: login, [server.directHost]: login });
    await room.push(remote);
    tokens.questions.length = 0;
    await room.pull();
    await room.expectWhole(remote, tree);
    expect(tokens.questions).toMatchObject([{ user: "ann", scopes: ["repository:app:pull"] }]);
  });

  it("by TLS, of an authority of one's own", async () => {
    const authority = await Authority.make(scratch);
    await using room = await Pulling.start("vfs", { server: { tls: await authority.issue() } });
    await expect(room.pull()).rejects.toThrow("unknown authority");
    await room.reopen({ registries: { [room.server.host]: { ca: authority.path } } });
    await room.push(remote);
    await room.pull();
    await room.expectWhole(remote, tree);
  });
});
