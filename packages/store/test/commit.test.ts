import { execFileSync } from "node:child_process";
import { chmod, mkdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Digest, digestHex } from "@strata/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { imageOf, type TestImage, type TestImageOptions } from "./support/image.ts";
import { loadImages } from "./support/load.ts";
import {
  drivers,
  listing,
  type OpenedStore,
  openStore,
  Scratch,
  treeOf,
  unmountAll,
} from "./support/store.ts";

const layers = [
  { "etc/": "", "etc/conf": "lower", "etc/gone": "x" },
  { "usr/": "", "usr/tool": "tool" },
];

let scratch: Scratch;
let opened: OpenedStore;
let image: TestImage;

async function start(driver = drivers[0], options: TestImageOptions = {}): Promise<void> {
  scratch = await Scratch.make();
  opened = await openStore(scratch.join("store"), driver);
  image = await imageOf(layers, { config: { Cmd: ["sh", "-l"], Env: ["A=b"] }, ...options });
  await loadImages(scratch, opened, [{ image, tags: ["base:1"] }]);
}

afterEach(async () => {
  await unmountAll(opened);
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

/** A container in which files were written; a name without content is removed. */
async function containerWith(
  files: Readonly<Record<string, string | undefined>>,
  { store }: OpenedStore = opened,
  reference = "base:1",
): Promise<string> {
  const { id } = await store.createContainer(reference);
  const path = await store.mountContainer(id);
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) await rm(join(path, name), { recursive: true });
    else {
      await mkdir(join(path, dirname(name)), { recursive: true });
      await writeFile(join(path, name), content);
    }
  }
  return id;
}

/** What GNU tar sees in the top layer of an image. */
async function topLayer(id: Digest): Promise<string[]> {
  const { manifest } = await opened.store.resolve(id);
  const blob = manifest.layers.at(-1)?.digest ?? id;
  const path = join(opened.root, "blobs", "sha256", digestHex(blob));
  return execFileSync("tar", ["-tf", path], { encoding: "utf8" }).trim().split("\n");
}

describe.each(drivers)("commit under %s", (driver) => {
  beforeEach(() => start(driver));

  it("makes an image whose top layer holds exactly the change", async () => {
    const container = await containerWith({ "etc/conf": "upper", "etc/gone": undefined, "new/file": "file" });
    const { id, size, junk } = await opened.store.commit(container, { reference: "made:1" });
    expect(await topLayer(id)).toEqual(["./", "etc/", "etc/.wh.gone", "etc/conf", "new/", "new/file"]);
    expect({ size, junk }).toEqual({ size: "upperfile".length, junk: [] });
    expect(await treeOf(opened, "made:1")).toEqual({
      "etc/conf": "upper",
      "new/file": "file",
      "usr/tool": "tool",
    });
    const made = await opened.store.resolve("made:1");
    expect(made.diffIds.slice(0, -1)).toEqual(image.diffIds);
    expect(made.parentId).toBe(image.id);
    expect(await opened.store.check()).toEqual([]);
  });

  it("leaves the container as it was, mounted and usable", async () => {
    const container = await containerWith({ "etc/conf": "upper" });
    await opened.store.commit(container, { reference: "made:1" });
    const path = await opened.store.mountContainer(container);
    await writeFile(join(path, "etc/conf"), "later");
    expect((await treeOf(opened, "made:1"))["etc/conf"]).toBe("upper");
    expect(await readFile(join(path, "etc/conf"), "utf8")).toBe("later");
    const second = await opened.store.commit(container);
    expect((await treeOf(opened, second.id))["etc/conf"]).toBe("later");
  });

  it("twice gives the same layer, and on top of what was committed only what is new", async () => {
    const container = await containerWith({ "new/file": "file" });
    const first = await opened.store.commit(container, { reference: "made:1" });
    const second = await opened.store.commit(container);
    const [one, two] = [await opened.store.resolve(first.id), await opened.store.resolve(second.id)];
    expect(two.diffIds).toEqual(one.diffIds);
    const third = await opened.store.commit(await containerWith({ "new/more": "more" }, opened, "made:1"));
    expect(await topLayer(third.id)).toEqual(["./", "new/", "new/more"]);
    expect((await opened.store.history(third.id)).map(({ id }) => id)).toEqual([
      third.id,
      first.id,
      image.id,
      undefined,
    ]);
  });

  it("of no change adds a step, and no layer", async () => {
    const container = await containerWith({});
    const { id, size } = await opened.store.commit(container, { message: "nothing", changes: ["USER me"] });
    expect(size).toBe(0);
    const made = await opened.store.resolve(id);
    expect(made.diffIds).toEqual(image.diffIds);
    expect(made.config.config?.User).toBe("me");
    expect(await opened.store.history(id)).toMatchObject([
      { id, comment: "nothing", emptyLayer: true, size: 0 },
      { id: image.id },
      {},
    ]);
  });
});

describe("commit", () => {
  beforeEach(() => start());

  it("writes author, message and changes into the config, UTF-8 as it is", async () => {
    const container = await containerWith({ file: "x" });
    const message = "größer 更大 🚀";
    const options = { author: "Ada <ada@example.com>", message, changes: ['CMD ["ls"]', "LABEL a=b"] };
    const { id } = await opened.store.commit(container, { ...options, reference: "made" });
    const made = await opened.store.resolve("made:latest");
    expect(made.config).toMatchObject({
      author: "Ada <ada@example.com>",
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: { Cmd: ["ls"], Env: ["A=b"], Labels: { a: "b" } },
      history: [{}, {}, { created_by: "sh -l", comment: message, author: "Ada <ada@example.com>" }],
    });
    expect(await opened.store.inspect(id)).toMatchObject({
      Comment: message,
      Author: "Ada <ada@example.com>",
      Parent: image.id,
    });
  });

  it("gives each layer of an image without history a step of its own", async () => {
    const bare = await imageOf(layers, { history: null });
    await loadImages(scratch, opened, [{ image: bare, tags: ["bare:1"] }]);
    const { id } = await opened.store.commit(await containerWith({ file: "12345" }, opened, "bare:1"));
    expect((await opened.store.history(id)).map(({ size }) => size)).toEqual([5, 4, 6]);
  });

  it("takes a tag from the image that had it", async () => {
    const container = await containerWith({ file: "x" });
    const { id } = await opened.store.commit(container, { reference: "base:1" });
    expect((await opened.store.resolve("base:1")).id).toBe(id);
    expect((await opened.store.resolve(image.id)).references).toEqual([]);
  });

  it("names what nobody needs in an image", async () => {
    const { junk, size } = await opened.store.commit(
      await containerWith({
        "tmp/build/a.o": "12345",
        "tmp/build/b.o": "12345",
        "var/cache/apt/archives/x.deb": "123456789",
        "var/lib/apt/lists/index": "1234",
        "root/.npm/_cacache/x": "123",
        "home/me/.cache/pip/y": "12",
        "usr/lib/python3/__pycache__/m.pyc": "1",
        "var/log/dpkg.log": "123456",
        "srv/core.123": "12345678",
        "usr/src/core/main.c": "source",
        "etc/catalogue": "no junk",
        "var/log/empty.log": "",
      }),
    );
    expect(junk).toEqual([
      { path: "/tmp/", bytes: 10 },
      { path: "/var/cache/apt/", bytes: 9 },
      { path: "/srv/core.123", bytes: 8 },
      { path: "/var/log/dpkg.log", bytes: 6 },
      { path: "/var/lib/apt/lists/", bytes: 4 },
      { path: "/root/.npm/", bytes: 3 },
      { path: "/home/me/.cache/", bytes: 2 },
      { path: "/usr/lib/python3/__pycache__/", bytes: 1 },
    ]);
    expect(size).toBe(43 + "source".length + "no junk".length);
  });

  it.each([
    [{ reference: "Made" }, "must be lowercase"],
    [{ changes: ["RUN ls"] }, "RUN"],
  ])("refuses %j, and leaves nothing behind", async (options, message) => {
    const container = await containerWith({ file: "x" });
    const before = await listing(opened.root);
    await expect(opened.store.commit(container, options)).rejects.toThrow(message);
    expect(await listing(opened.root)).toEqual(before);
  });

  it("aborted, leaves nothing behind", async () => {
    const container = await containerWith({ file: "x" });
    const before = await listing(opened.root);
    const reason = new Error("enough");
    await expect(opened.store.commit(container, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await listing(opened.root)).toEqual(before);
  });
});

it.runIf(drivers.length > 1)("the same change has the same layer under each driver", async () => {
  const mtime = new Date("2024-01-01T00:00:00Z");
  const diffIds: string[] = [];
  for (const driver of drivers) {
    await start(driver);
    const container = await containerWith({ "etc/conf": "upper", "etc/gone": undefined, "new/file": "file" });
    const path = await opened.store.mountContainer(container);
    await chmod(join(path, "usr/tool"), 0o4711);
    await rename(join(path, "new/file"), join(path, "new/moved"));
    for (const name of ["etc/conf", "new/moved", "etc", "new", ""])
      await utimes(join(path, name), mtime, mtime);
    const { id } = await opened.store.commit(container);
    diffIds.push(String((await opened.store.resolve(id)).diffIds.at(-1)));
    if (driver !== drivers.at(-1)) {
      await opened.store.removeContainer(container, { force: true });
      await opened[Symbol.asyncDispose]();
      await scratch[Symbol.asyncDispose]();
    }
  }
  expect(diffIds[1]).toBe(diffIds[0]);
});
