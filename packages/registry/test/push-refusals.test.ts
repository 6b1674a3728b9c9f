import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { digestOf } from "@strata/core";
import { push } from "@strata/registry";
import { afterEach, beforeEach, expect, it } from "vitest";
import { flip } from "../../store/test/support/gzip-store.ts";
import { hex, imageOf } from "../../store/test/support/image.ts";
import { mixedImage } from "../../store/test/support/load.ts";
import { Authority } from "./support/certificates.ts";
import { random } from "./support/pulling.ts";
import { Pushing } from "./support/pushing.ts";
import { TokenServer } from "./support/token-server.ts";

let room: Pushing;

afterEach(() => room[Symbol.asyncDispose]());

describeWith("a push that cannot be", ["docker-registry"], () => {
  beforeEach(async () => {
    room = await Pushing.start();
  });

  function blobFile(digest = ""): string {
    return join(room.room.opened.root, "blobs", "sha256", hex(digest));
  }

  it("says in docker's words that there is no such image", async () => {
    const { host } = room.room.server;
    await expect(room.push("app:1")).rejects.toMatchObject({
      code: "NotFound",
      message: `An image does not exist locally with the tag: ${host}/app`,
    });
    await room.load(await mixedImage(), "app:1");
    await room.tag("app:1", "app:test");
    await expect(room.push("app:2")).rejects.toMatchObject({
      code: "NotFound",
      message: `tag does not exist: ${host}/app:2; there is 1, test`,
    });
    const name = `app@${digestOf("x")}`;
    await expect(room.push(name)).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining(`cannot push a digest reference: ${host}/${name}; push a tag`),
    });
    expect(room.proxy.log).toEqual([]);
  });

  it.each([
    ["missing", (path: string) => rmSync(path)],
    ["cut off", (path: string) => truncateSync(path, 100)],
    ["too long", (path: string) => writeFileSync(path, "x", { flag: "a" })],
  ])("sends nothing of an image with a layer that is %s", async (_, harm) => {
    await room.load(await mixedImage());
    const [, layer] = await room.layers();
    harm(blobFile(layer?.digest));
    await expect(room.push()).rejects.toMatchObject({
      code: "Corrupt",
      message: `blob ${layer?.digest} is missing or cut off; load or pull its image again`,
    });
    expect(room.proxy.log).toEqual([]);
  });

  it.each([1000, 1_000_000])(
    "says of a damaged layer what to do, with parts of %i bytes",
    async (partBytes) => {
      await room.load(await imageOf([{ a: random(10_000) }]));
      const [layer] = await room.layers();
      await flip(blobFile(layer?.digest));
      await expect(room.push("app:1", { partBytes, uploads: 1 })).rejects.toMatchObject({
        code: "Corrupt",
        message: expect.stringMatching(
          /^blob sha256:\w+ of \S+\/app is damaged in the store \(now sha256:\w+\); run `strata check --repair`, then load or pull the image again$/,
        ),
      });
      expect(room.notes).toEqual([]);
    },
  );

  it("says that something on the way changes bytes, after a second time", async () => {
    await room.load(await imageOf([{ a: "a" }]));
    const [layer] = await room.layers();
    const invalid = JSON.stringify({ errors: [{ code: "DIGEST_INVALID", message: "no" }] });
    let times = 1;
    room.proxy.fault = ({ method, url }) =>
      method === "PUT" && url.includes(encodeURIComponent(layer?.digest ?? "")) && times-- > 0
        ? { kind: "answer", status: 400, body: invalid }
        : undefined;
    await room.push();
    await room.expectPushed();

    await room.load(await imageOf([{ a: "other" }]), "two:1");
    const [other] = await room.layers("two:1");
    room.proxy.fault = ({ url }) =>
      url.includes(`digest=${encodeURIComponent(other?.digest ?? "")}`)
        ? { kind: "answer", status: 400, body: invalid }
        : undefined;
    await expect(room.push("two:1")).rejects.toMatchObject({
      code: "Corrupt",
      message: expect.stringContaining("the registry received other bytes than were sent, twice"),
    });
  });
});

describeWith("a push to a registry with logins", ["docker-registry", "openssl"], () => {
  it("needs one, and says how", async () => {
    room = await Pushing.start("vfs", { server: { users: { ann: "secret" } } });
    const { host } = room.room.server;
    await room.load(await mixedImage());
    await expect(room.push()).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: expect.stringMatching(
        /^push access denied for \S+\/app: no basic auth credentials; log in with `strata login \S+`$/,
      ),
    });
    expect(room.notes).toEqual([]);
    room.room.user.logIn({ [host]: "ann:secret" });
    await using registries = await room.room.user.open();
    await push(room.room.opened.store, registries, room.room.reference());
    expect(await registries.repository(room.room.reference()).headManifest("1")).toBeDefined();
  });

  it("says that it is denied to who may pull only", async () => {
    await using scratch = new Scratch();
    const signing = await (await Authority.make(scratch, "signer")).issue("DNS:tokens");
    await using tokens = await TokenServer.start({ signing, service: "a registry" });
    const { realm } = tokens;
    const token = { realm, service: "a registry", rootCertificates: signing.cert };
    room = await Pushing.start("vfs", { server: { token } });
    await room.load(await mixedImage());
    await expect(room.push()).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: expect.stringMatching(/^push access denied for \S+\/app: /),
    });
    expect(room.sent).toEqual([]);
    expect(room.notes).toEqual([]);
  });
});
