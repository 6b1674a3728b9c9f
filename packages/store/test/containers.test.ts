import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdir, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { imageOf, type TestImage } from "./support/image.ts";
import { loadImages } from "./support/load.ts";
import { drivers, listing, type OpenedStore, openStore, Scratch, unmountAll } from "./support/store.ts";

let scratch: Scratch;
let opened: OpenedStore;
let image: TestImage;

async function start(driver = drivers[0]): Promise<void> {
  scratch = await Scratch.make();
  opened = await openStore(scratch.join("store"), driver);
  const layers = [{ "etc/": "", "etc/conf": "lower", "etc/gone": "x" }, { "usr/bin/tool": "tool" }];
  image = await imageOf(layers, { config: { Cmd: ["sh", "-l"], Entrypoint: ["/init"], Env: ["A=b"] } });
  await loadImages(scratch, opened, [{ image, tags: ["base:1"] }]);
}

afterEach(async () => {
  await unmountAll(opened);
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

async function changesOf(container: string): Promise<string[]> {
  const letters = { added: "A", modified: "C", deleted: "D" };
  const lines: string[] = [];
  for await (const { kind, path } of opened.store.changes(container)) lines.push(`${letters[kind]} /${path}`);
  return lines;
}

async function change(path: string): Promise<void> {
  await writeFile(join(path, "etc/conf"), "upper");
  await rm(join(path, "etc/gone"));
  await mkdir(join(path, "new"));
  await writeFile(join(path, "new/file"), "file");
}

const changed = ["C /", "C /etc", "C /etc/conf", "D /etc/gone", "A /new", "A /new/file"];

describe.each(drivers)("a container under %s", (driver) => {
  beforeEach(() => start(driver));

  it("shows its image's files, and keeps what is written apart from them", async () => {
    const { id } = await opened.store.createContainer("base:1", { name: "first" });
    const other = await opened.store.createContainer("base:1", { name: "second" });
    const path = await opened.store.mountContainer(id);
    await change(path);
    expect(await readFile(join(path, "usr/bin/tool"), "utf8")).toBe("tool");
    expect(await changesOf("first")).toEqual(changed);
    expect(await changesOf("second")).toEqual([]);
    await opened.store.unmountContainer("first");
    expect(await changesOf(id)).toEqual(changed);
    const otherPath = await opened.store.mountContainer(other.name);
    expect(await readFile(join(otherPath, "etc/conf"), "utf8")).toBe("lower");
    expect(await opened.store.check()).toEqual([]);
  });

  it("stays mounted until any process unmounts it", async () => {
    const { id } = await opened.store.createContainer("base:1");
    const fixture = join(import.meta.dirname, "fixtures", "store.mjs");
    const run = (method: string) =>
      execFileSync(process.execPath, [fixture, opened.root, driver, method, id], { encoding: "utf8" }).trim();
    const path = JSON.parse(run("mountContainer"));
    expect(await readFile(join(path, "etc/conf"), "utf8")).toBe("lower");
    expect((await opened.store.containers())[0]?.mountedAt).toBe(path);
    expect(await opened.store.mountContainer(id)).toBe(path);
    run("unmountContainer");
    expect((await opened.store.containers())[0]?.mountedAt).toBeUndefined();
    await expect(opened.store.unmountContainer(id)).rejects.toMatchObject({ code: "FailedPrecondition" });
  });

  it("is exported whole, mounted or not", async () => {
    const { id } = await opened.store.createContainer("base:1");
    await change(await opened.store.mountContainer(id));
    const expected = ["./", "etc/", "etc/conf", "new/", "new/file", "usr/", "usr/bin/", "usr/bin/tool"];
    expect(await exported(id)).toEqual(expected);
    await opened.store.unmountContainer(id);
    expect(await exported(id)).toEqual(expected);
    expect((await opened.store.containers())[0]?.mountedAt).toBeUndefined();
  });

  it("is gone with everything when it is removed", async () => {
    const before = (await listing(opened.root)).filter((path) => !path.includes("/children"));
    const { id } = await opened.store.createContainer("base:1");
    await change(await opened.store.mountContainer(id));
    await expect(opened.store.removeContainer(id)).rejects.toMatchObject({
      code: "Busy",
      message: expect.stringContaining("unmount it first"),
    });
    expect(await changesOf(id)).toEqual(changed);
    await opened.store.removeContainer(id, { force: true });
    expect((await listing(opened.root)).filter((path) => !path.includes("/children"))).toEqual(before);
    await expect(opened.store.container(id)).rejects.toMatchObject({ code: "NotFound" });
  });

  it("says where its directories are", async () => {
    const { id } = await opened.store.createContainer("base:1");
    const path = await opened.store.mountContainer(id);
    await change(path);
    const inspected: { GraphDriver?: { Data: Record<string, string> } } =
      await opened.store.inspectContainer(id);
    const {
      LowerDir = "",
      UpperDir = "",
      WorkDir = "",
      MergedDir,
      Dir = "",
    } = inspected.GraphDriver?.Data ?? {};
    expect(MergedDir).toBe(path);
    if (driver === "vfs") return expect(readdirSync(Dir).sort()).toEqual(["etc", "new", "usr"]);
    expect(readdirSync(UpperDir).sort()).toEqual(["etc", "new"]);
    expect(readdirSync(`${UpperDir}/etc`).sort()).toEqual(["conf", "gone"]);
    expect(LowerDir.split(":").map((dir) => readdirSync(dir))).toEqual([["usr"], ["etc"]]);
    expect((await stat(WorkDir)).isDirectory()).toBe(true);
  });
});

describe("a container", () => {
  beforeEach(() => start());

  it("is recorded with its name, image, command and labels", async () => {
    const record = await opened.store.createContainer("base:1", { name: "web", labels: { owner: "me" } });
    expect(record).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      name: "web",
      imageId: image.id,
      image: "base:1",
      driver: opened.driver.name,
      created: expect.stringMatching(/Z$/),
      labels: { owner: "me" },
      command: ["/init", "sh", "-l"],
    });
    for (const text of ["web", record.id, record.id.slice(0, 12)]) {
      expect(await opened.store.container(text)).toEqual(record);
    }
    expect((await opened.store.createContainer("base:1", { command: ["ls"] })).command).toEqual([
      "/init",
      "ls",
    ]);
    expect((await opened.store.containers()).at(-1)).toEqual(record);
  });

  it("gets a name of two words if it is given none", async () => {
    const made = await Promise.all([1, 2, 3].map(() => opened.store.createContainer("base:1")));
    expect(new Set(made.map(({ name }) => name)).size).toBe(3);
    for (const { name } of made) expect(name).toMatch(/^[a-z]+_[a-z]+$/);
  });

  it("has docker's shape", async () => {
    await opened.store.createContainer("base:1", { name: "web", labels: { owner: "me" } });
    expect(await opened.store.inspectContainer("web")).toMatchObject({
      Path: "/init",
      Args: ["sh", "-l"],
      State: { Status: "created", Running: false },
      Image: image.id,
      Name: "/web",
      Driver: opened.driver.name,
      Config: {
        Cmd: ["sh", "-l"],
        Entrypoint: ["/init"],
        Env: ["A=b"],
        Image: "base:1",
        Labels: { owner: "me" },
      },
    });
  });

  it("cannot have a name that is taken, or none", async () => {
    const { id } = await opened.store.createContainer("base:1", { name: "web" });
    const before = await listing(opened.root);
    await expect(opened.store.createContainer("base:1", { name: "web" })).rejects.toMatchObject({
      code: "AlreadyExists",
      message: expect.stringContaining(`already in use by container ${id.slice(0, 12)}`),
    });
    for (const name of ["", "a", "-x", "a b", "../x", "x".repeat(129)]) {
      await expect(opened.store.createContainer("base:1", { name })).rejects.toMatchObject({
        code: "InvalidArgument",
      });
    }
    await expect(opened.store.createContainer("other")).rejects.toThrow("No such image: other");
    expect(await listing(opened.root)).toEqual(before);
  });

  it("of two created at once with one name, one is made", async () => {
    const results = await Promise.allSettled(
      [1, 2].map(() => opened.store.createContainer("base:1", { name: "web" })),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await opened.store.containers()).toHaveLength(1);
    expect(await opened.store.gc()).toMatchObject({ removed: 0 });
  });

  it("that is busy says why, and can be unmounted by force", async () => {
    const { id } = await opened.store.createContainer("base:1");
    const path = await opened.store.mountContainer(id);
    const file = await open(join(path, "etc/conf"), "r+");
    try {
      if (opened.driver.name === "overlay2") {
        await expect(opened.store.unmountContainer(id)).rejects.toMatchObject({
          code: "Busy",
          message: expect.stringContaining("in use"),
        });
      }
      await opened.store.unmountContainer(id, { force: true });
      expect((await opened.store.containers())[0]?.mountedAt).toBeUndefined();
    } finally {
      await file.close();
    }
  });

  it("of an image without layers is empty, and can be written", async () => {
    const empty = await imageOf([]);
    await loadImages(scratch, opened, [{ image: empty, tags: ["empty:1"] }]);
    const { id } = await opened.store.createContainer("empty:1");
    const path = await opened.store.mountContainer(id);
    await writeFile(join(path, "file"), "content");
    expect(await changesOf(id)).toContain("A /file");
  });

  it("starts as quickly, and takes as little, however large its image is", {
    skip: drivers.length < 2,
  }, async () => {
    const { id } = await opened.store.createContainer("base:1");
    const { perContainer } = await opened.store.usage();
    expect(perContainer[0]).toMatchObject({ id });
    expect(perContainer[0]?.bytes).toBeLessThan(16 * 1024);
    const path = await opened.store.mountContainer(id);
    const second = await opened.store.createContainer("base:1");
    const other = await opened.store.mountContainer(second.id);
    const inodes = await Promise.all(
      [path, other].map(async (dir) => (await stat(join(dir, "usr/bin/tool"))).ino),
    );
    expect(inodes[0]).toBe(inodes[1]);
  });
});

describe.runIf(drivers.length > 1)("a container of another driver", () => {
  it("is listed, and what can be done is said", async () => {
    await start("overlay2");
    const { id } = await opened.store.createContainer("base:1", { name: "web" });
    await using other = await openStore(opened.root, "vfs");
    expect(await other.store.containers()).toMatchObject([{ id, driver: "overlay2" }]);
    const attempts = [() => other.store.mountContainer(id), () => other.store.removeContainer(id)];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject({
        code: "FailedPrecondition",
        message: expect.stringContaining("--driver overlay2"),
      });
    }
    expect(await other.store.gc()).toMatchObject({ removed: 0 });
    expect(await other.store.check()).toEqual([]);
    // The image came in under overlay2; here it is unpacked when it is needed.
    const mine = await other.store.createContainer("base:1");
    expect(await readFile(join(await other.store.mountContainer(mine.id), "etc/conf"), "utf8")).toBe("lower");
    await other.store.removeContainer(mine.id, { force: true });
  });
});

/** What GNU tar sees in it. */
async function exported(container: string): Promise<string[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of opened.store.exportContainer(container)) chunks.push(chunk);
  const names = execFileSync("tar", ["-t"], { input: Buffer.concat(chunks), encoding: "utf8" });
  return names.trim().split("\n").sort();
}
