import { readFileSync, writeFileSync } from "node:fs";
import { ContainersStorage, Docker, run } from "@strata/benchmarks";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { hash } from "bcryptjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { selfSigned } from "./support/certificate.ts";
import { bytesOf, descriptorOf, pushImage, type SampleImage, sampleImage, types } from "./support/sample.ts";
import { expectSound, ServedStore, type ServedStoreOptions } from "./support/served-store.ts";

const insecure = "--tls-verify=false";

/** Has what a client pushed the file that it must have? Read as anybody reads images of the store. */
async function fileOf({ store }: ServedStore, image: string, path = "etc/hello"): Promise<string> {
  const { id } = await store.createContainer(image);
  const content = readFileSync(`${await store.mountContainer(id)}/${path}`, "utf8");
  await store.unmountContainer(id);
  await store.removeContainer(id);
  return content;
}

async function htpasswd(scratch: Scratch): Promise<string> {
  const path = scratch.join("htpasswd");
  writeFileSync(path, `ann:${await hash("secret", 5)}\n`);
  return path;
}

/** Each client meets each kind of access. */
const kinds = ["open", "htpasswd", "htpasswd and anonymous reading"] as const;

async function optionsFor(kind: (typeof kinds)[number], scratch: Scratch): Promise<ServedStoreOptions> {
  const driver = "overlay2";
  if (kind === "open") return { driver };
  return { driver, htpasswd: await htpasswd(scratch), anonymousRead: kind !== "htpasswd" };
}

describe.each(kinds)("%s", (kind) => {
  let scratch: Scratch;
  let served: ServedStore;
  let image: SampleImage;
  const host = () => served.server.host;
  const creds = kind === "open" ? [] : ["--creds=ann:secret"];
  const readCreds = kind === "htpasswd" ? creds : [];

  beforeAll(async () => {
    scratch = new Scratch();
    served = await ServedStore.start(await optionsFor(kind, scratch));
    image = await sampleImage({
      files: { "etc/hello": "hello", "usr/large": Buffer.alloc(3_000_000, "abc") },
    });
    await served.store.import(scratchTar(scratch, image), { reference: "base:1" });
  });

  afterAll(async () => {
    await expectSound(served);
    await served[Symbol.asyncDispose]();
    await scratch[Symbol.asyncDispose]();
  });

  describeWith("skopeo", ["root", "skopeo"], () => {
    const skopeo = async (...args: string[]) =>
      (
        await run("skopeo", ["--insecure-policy", ...args], {
          env: { REGISTRY_AUTH_FILE: scratch.join("none") },
        })
      ).stdout;
    const source = [`--src${insecure.slice(1)}`, ...readCreds.map((option) => `--src-${option.slice(2)}`)];
    const destination = [`--dest${insecure.slice(1)}`, ...creds.map((option) => `--dest-${option.slice(2)}`)];

    it("copies an image out and in again, compressed on the way", async () => {
      const out = `oci:${scratch.join("out")}:base`;
      await skopeo("copy", "--preserve-digests", ...source, `docker://${host()}/base:1`, out);
      for (const [name, ...options] of [
        ["same", "--preserve-digests"],
        ["gzip", "--dest-compress"],
        ["docker", "--format=v2s2"],
      ] as const) {
        await skopeo("copy", ...options, ...destination, out, `docker://${host()}/team/${name}:1`);
        expect(await fileOf(served, `team/${name}:1`)).toBe("hello");
      }
      const digestOf = async (name: string) => (await served.store.resolve(name)).digest;
      expect(await digestOf("team/same:1")).toBe(await digestOf("base:1"));
      expect(await digestOf("team/docker:1")).not.toBe(await digestOf("base:1"));
      expect((await served.store.resolve("team/docker:1")).manifest.mediaType).toMatch(/docker/);
    });

    it("copies from repository to repository, which mounts", async () => {
      const [from, to] = [`docker://${host()}/base:1`, `docker://${host()}/team/copy:1`];
      await skopeo("copy", ...source, ...destination, from, to);
      expect(await fileOf(served, "team/copy:1")).toBe("hello");
    });

    it("copies an index with all that it names", async () => {
      const here = await sampleImage({ files: { "etc/hello": "of the index" } });
      const there = await sampleImage({ files: { "etc/hello": "elsewhere" }, architecture: "s390x" });
      const index = {
        schemaVersion: 2,
        mediaType: types.index,
        manifests: [here, there].map(({ manifest }, at) => ({
          ...descriptorOf(types.manifest, manifest),
          platform: { os: "linux", architecture: at === 0 ? "amd64" : "s390x" },
        })),
      };
      await using layout = await ServedStore.start();
      for (const one of [here, there]) await pushImage(layout.client, "multi", "digest", one);
      await layout.client.putManifest("multi", "1", index);
      await skopeo(
        ...["copy", "--all", "--preserve-digests", "--src-tls-verify=false", ...destination],
        ...[`docker://${layout.server.host}/multi:1`, `docker://${host()}/multi:1`],
      );
      const raw = await skopeo("inspect", insecure, ...readCreds, "--raw", `docker://${host()}/multi:1`);
      expect(raw).toBe(bytesOf(index).toString());
      expect(await fileOf(served, `multi@${here.digest}`)).toBe("of the index");
    });

    it("inspects, lists tags, and deletes", async () => {
      const name = `docker://${host()}/team/inspected`;
      await skopeo("copy", ...source, ...destination, `docker://${host()}/base:1`, `${name}:1`);
      const inspected = JSON.parse(await skopeo("inspect", insecure, ...readCreds, `${name}:1`));
      expect(inspected).toMatchObject({ RepoTags: ["1"], Os: "linux" });
      expect(JSON.parse(await skopeo("list-tags", insecure, ...readCreds, name))).toMatchObject({
        Tags: ["1"],
      });
      await skopeo("delete", insecure, ...creds, `${name}:1`);
      await expect(served.store.resolve("team/inspected:1")).rejects.toMatchObject({ code: "NotFound" });
      expect(await fileOf(served, "base:1")).toBe("hello");
    });
  });

  describeWith("podman and buildah", ["root", "podman", "buildah"], () => {
    let storage: ContainersStorage;
    beforeAll(() => {
      storage = new ContainersStorage();
    });
    afterAll(async () => {
      await storage?.[Symbol.asyncDispose]();
    });

    it("podman pulls, and pushes what it has", async () => {
      await storage.podman("pull", "--quiet", insecure, ...readCreds, `${host()}/base:1`);
      await storage.podman(
        "push",
        "--quiet",
        insecure,
        ...creds,
        `${host()}/base:1`,
        `${host()}/by-podman:2`,
      );
      expect(await fileOf(served, "by-podman:2")).toBe("hello");
      await storage.podman("rmi", `${host()}/base:1`);
      await storage.podman("pull", "--quiet", insecure, ...readCreds, `${host()}/by-podman:2`);
      const root = (await storage.podman("image", "mount", `${host()}/by-podman:2`)).stdout.trim();
      expect(readFileSync(`${root}/etc/hello`, "utf8")).toBe("hello");
      await storage.podman("image", "unmount", `${host()}/by-podman:2`);
    });

    it("buildah commits on top of what is here, and pushes it", async () => {
      const container = await storage.buildah("from", insecure, ...readCreds, `${host()}/base:1`);
      const file = scratch.join("added");
      writeFileSync(file, "added");
      await storage.buildah("copy", container, file, "/etc/added");
      const to = `docker://${host()}/by-buildah:1`;
      await storage.buildah("commit", "--rm", insecure, ...creds, container, to);
      expect(await fileOf(served, "by-buildah:1", "etc/added")).toBe("added");
      expect(await fileOf(served, "by-buildah:1")).toBe("hello");
    });
  });

  describeWith("docker", ["root", "dockerd", "containerd"], () => {
    let docker: Docker;
    beforeAll(async () => {
      docker = await Docker.start(scratch.path);
      if (kind !== "open") await docker.run("login", "--username=ann", "--password=secret", host());
    });
    afterAll(async () => {
      await docker?.[Symbol.asyncDispose]();
    });

    it("pulls, and pushes what it has", async () => {
      await docker.run("pull", "--quiet", `${host()}/base:1`);
      await docker.run("tag", `${host()}/base:1`, `${host()}/by-docker:1`);
      await docker.run("push", "--quiet", `${host()}/by-docker:1`);
      expect(await fileOf(served, "by-docker:1")).toBe("hello");
      const { id } = await served.store.resolve("by-docker:1");
      const format = ["image", "inspect", "--format", "{{.Id}}"];
      expect((await docker.run(...format, `${host()}/base:1`)).stdout.trim()).toBe(id);
      await docker.run("rmi", `${host()}/base:1`, `${host()}/by-docker:1`);
      await docker.run("pull", "--quiet", `${host()}/by-docker:1`);
    });

    it.runIf(kind !== "htpasswd")("pulls without a login", async () => {
      await docker.run("logout", host());
      await docker.run("pull", "--quiet", `${host()}/base:1`);
      if (kind === "open") return;
      await docker.run("tag", `${host()}/base:1`, `${host()}/refused:1`);
      await expect(docker.run("push", "--quiet", `${host()}/refused:1`)).rejects.toThrow(/auth|denied/i);
    });

    it.runIf(kind === "htpasswd")("is refused without a login", async () => {
      await docker.run("logout", host());
      await expect(docker.run("pull", "--quiet", `${host()}/base:1`)).rejects.toThrow(
        /no basic auth credentials/,
      );
      const wrong = ["--username=ann", "--password=wrong", host()];
      await expect(docker.run("login", ...wrong)).rejects.toThrow(/401 Unauthorized/);
    });
  });
});

describeWith("over TLS, skopeo", ["root", "skopeo"], () => {
  it("copies, where it trusts the certificate", async () => {
    await using scratch = new Scratch();
    const tls = selfSigned(scratch);
    await using served = await ServedStore.start({ tls });
    await served.store.import(scratchTar(scratch, await sampleImage()), { reference: "base:1" });
    await using trusted = new Scratch();
    writeFileSync(trusted.join("ca.crt"), readFileSync(tls.cert));
    const target = `oci:${scratch.join("out")}:base`;
    const copy = ["--insecure-policy", "copy", `--src-cert-dir=${trusted.path}`];
    await run("skopeo", [...copy, `docker://${served.server.host}/base:1`, target]);
  });
});

function scratchTar(scratch: Scratch, { layer }: SampleImage): string {
  const path = scratch.join("base.tar");
  writeFileSync(path, layer);
  return path;
}
