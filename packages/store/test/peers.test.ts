import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { describeWith } from "@strata/conformance";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imageOf, type TestImage } from "./support/image.ts";
import { docker20 } from "./support/layouts.ts";
import { run } from "./support/peers.ts";
import { type OpenedStore, openStore, Scratch, treeOf } from "./support/store.ts";
import { tarOf } from "./support/tar.ts";

const name = "docker.io/library/peer:1";

let scratch: Scratch;
let opened: OpenedStore;
let image: TestImage;

beforeAll(async () => {
  scratch = await Scratch.make();
  opened = await openStore(scratch.join("store"));
  image = await imageOf([{ "etc/a": "1" }, { "etc/b": "2" }, { "etc/a": "1" }], { config: { Cmd: ["/a"] } });
  await writeFile(scratch.join("in"), await tarOf(docker20([{ image, tags: [name] }])));
  await opened.store.load(scratch.join("in"));
  await writeFile(scratch.join("saved.tar"), opened.store.save([name]));
});

afterAll(async () => {
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

/** Load what a peer wrote into a new store, and expect the image there. */
async function expectLoaded(path: string, references: readonly string[]): Promise<void> {
  await using other = await openStore(scratch.join(`other-${path.replaceAll("/", "-")}`));
  const [loaded, ...more] = await other.store.load(path);
  expect(more).toEqual([]);
  expect(loaded).toMatchObject({ id: image.id, references });
  expect(await treeOf(other, image.id)).toEqual({ "etc/a": "1", "etc/b": "2" });
}

/** The image ID in a `dir:` of skopeo. */
function imageIdIn(directory: string): string {
  return JSON.parse(readFileSync(`${directory}/manifest.json`, "utf8")).config.digest;
}

describeWith("skopeo", ["skopeo"], () => {
  it.each([
    ["docker-archive:", ""],
    ["oci-archive:", ""],
    ["oci-archive:", `:${name}`],
  ])("reads what save writes as %s%s", (transport, reference) => {
    const to = scratch.join(`read-${transport.slice(0, 3)}${reference.length}`);
    run("skopeo", "copy", `${transport}${scratch.join("saved.tar")}${reference}`, `dir:${to}`);
    expect(imageIdIn(to)).toBe(image.id);
  });

  it("reads the store as it stands", () => {
    const inspected = JSON.parse(run("skopeo", "inspect", "--config", `oci:${opened.root}:${name}`));
    expect(inspected.config.Cmd).toEqual(["/a"]);
  });

  it.each([
    ["docker-archive", `:${name}`, [name]],
    ["oci-archive", `:${name}`, [name]],
    ["oci-archive", "", []],
    ["oci", `:${name}`, [name]],
  ])("writes a %s%s that load reads", async (transport, reference, references) => {
    const path = scratch.join(`${transport}-${references.length}`);
    // From docker's form to OCI's, skopeo would write the config anew.
    const from = transport === "docker-archive" ? transport : "oci-archive";
    run("skopeo", "copy", `${from}:${scratch.join("saved.tar")}`, `${transport}:${path}${reference}`);
    await expectLoaded(path, references);
  });
});

describeWith("umoci", ["umoci"], () => {
  it("lists the store as it stands", () => {
    expect(run("umoci", "ls", "--layout", opened.root).trim()).toBe(name);
  });

  it("writes a layout that load reads", async () => {
    const layout = scratch.join("umoci");
    run("umoci", "init", "--layout", layout);
    run("umoci", "new", "--image", `${layout}:team`);
    await writeFile(scratch.join("hello"), "hello\n");
    run("umoci", "insert", "--image", `${layout}:team`, scratch.join("hello"), "/srv/hello");
    await using other = await openStore(scratch.join("umoci-store"));
    expect(await other.store.load(layout)).toMatchObject([{ references: ["docker.io/library/team:latest"] }]);
    expect(await treeOf(other, "team")).toEqual({ "srv/hello": "hello\n" });
  });
});

describeWith("podman", ["podman"], () => {
  const podman = (...args: string[]): string =>
    run(
      "podman",
      `--root=${scratch.join("podman")}`,
      `--runroot=${scratch.join("podman-run")}`,
      "--storage-driver=vfs",
      ...args,
    );

  beforeAll(() => {
    podman("load", "--quiet", "--input", scratch.join("saved.tar"));
  });

  it("loads what save writes, under the same ID and name", () => {
    const line = podman("images", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}").trim();
    expect(line).toBe(`${image.id} ${name}`);
  });

  it.each(["docker-archive", "oci-archive"])("saves a %s that load reads", async (format) => {
    const path = scratch.join(`podman-${format}`);
    podman("save", "--quiet", `--format=${format}`, "--output", path, name);
    await using other = await openStore(scratch.join(`podman-${format}-store`));
    // podman writes the config of an OCI archive anew, so that has an ID of its own.
    const [loaded] = await other.store.load(path);
    expect(loaded?.references).toEqual([name]);
    if (format === "docker-archive") expect(loaded?.id).toBe(image.id);
    expect(await treeOf(other, name)).toEqual({ "etc/a": "1", "etc/b": "2" });
  });
});

describe("the store", () => {
  it("is an OCI image layout that load reads as a directory", async () => {
    await expectLoaded(opened.root, [name]);
  });
});
