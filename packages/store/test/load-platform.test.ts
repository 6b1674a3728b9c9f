import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { imageOf } from "./support/image.ts";
import { blobMember, descriptorOf, ociBlobs, ociFiles } from "./support/layouts.ts";
import { membersArchive } from "./support/load.ts";
import { type OpenedStore, openStore, Scratch } from "./support/store.ts";
import type { Member } from "./support/tar.ts";

let scratch: Scratch;
let opened: OpenedStore;

beforeEach(async () => {
  scratch = await Scratch.make();
  opened = await openStore(scratch.join("store"));
});

afterEach(async () => {
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

const archive = (members: readonly Member[], compression?: string) =>
  membersArchive(scratch, members, compression);

describe("an index", () => {
  const platforms = [
    { architecture: "amd64" },
    { architecture: "arm64", variant: "v8" },
    { architecture: "arm", variant: "v6" },
    { architecture: "s390x" },
  ];

  async function multiPlatform(depth = 1, offered = platforms): Promise<Member[]> {
    const members = new Map<string, Member>();
    const add = (bytes: Buffer): void => {
      const member = blobMember(bytes);
      members.set(member.name, member);
    };
    let entries: object[] = [];
    for (const platform of offered) {
      const image = await imageOf([{ arch: JSON.stringify(platform) }], { platform });
      const blobs = ociBlobs(image);
      blobs.forEach(add);
      const manifest = blobs.at(-1) ?? Buffer.alloc(0);
      entries.push({
        ...descriptorOf(manifest, "application/vnd.oci.image.manifest.v1+json"),
        platform: { os: "linux", ...platform },
      });
    }
    // What buildkit adds to say how an image was made.
    const attestation = await imageOf([{ provenance: "{}" }], {
      platform: { os: "unknown", architecture: "unknown" },
    });
    const blobs = ociBlobs(attestation);
    blobs.forEach(add);
    entries.push({
      ...descriptorOf(blobs.at(-1) ?? Buffer.alloc(0), "application/vnd.oci.image.manifest.v1+json"),
      platform: { os: "unknown", architecture: "unknown" },
      annotations: { "vnd.docker.reference.type": "attestation-manifest" },
    });
    for (let level = 0; level < depth; level += 1) {
      const index = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: entries }));
      add(index);
      entries = [descriptorOf(index, "application/vnd.oci.image.index.v1+json")];
    }
    const annotations = { "org.opencontainers.image.ref.name": "multi:1" };
    return [...members.values(), ...ociFiles(entries.map((entry) => ({ ...entry, annotations })))];
  }

  it.each([
    ["linux/amd64", "amd64"],
    ["linux/x86_64", "amd64"],
    ["linux/arm64", "arm64"],
    ["linux/aarch64", "arm64"],
    ["linux/arm/v6", "arm"],
    // A v7 runs what was built for v6.
    ["linux/arm/v7", "arm"],
    ["linux/s390x", "s390x"],
  ])("gives the image for %s", async (platform, architecture) => {
    const [loaded] = await opened.store.load(await archive(await multiPlatform()), { platform });
    expect(loaded?.references).toEqual(["docker.io/library/multi:1"]);
    expect((await opened.store.resolve("multi:1")).config.architecture).toBe(architecture);
  });

  it("gives the host's image by default, from nested indexes too", async () => {
    await opened.store.load(await archive(await multiPlatform(3)));
    const { architecture } = (await opened.store.resolve("multi:1")).config;
    expect(architecture).toBe(process.arch === "x64" ? "amd64" : process.arch);
  });

  it("with one image and an attestation gives that image, whatever it runs on", async () => {
    await opened.store.load(await archive(await multiPlatform(1, [{ architecture: "s390x" }])));
    expect((await opened.store.resolve("multi:1")).config.architecture).toBe("s390x");
  });

  it.each(["linux/riscv64", "windows/amd64", "linux/arm/v5"])(
    "without an image for %s says so",
    async (platform) => {
      await expect(
        opened.store.load(await archive(await multiPlatform()), { platform }),
      ).rejects.toMatchObject({
        code: "NotFound",
        message: `no matching manifest for ${platform} in the manifest list entries`,
      });
    },
  );

  it("nested without end is refused", async () => {
    await expect(opened.store.load(await archive(await multiPlatform(12)))).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining("nested"),
    });
  });
});
