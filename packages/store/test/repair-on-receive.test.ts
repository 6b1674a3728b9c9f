import {
  appendFile,
  chmod,
  chown,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  unlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { chainIds, type Digest, FileLock } from "@strata/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { editLayer } from "./support/edit-layer.ts";
import { flip } from "./support/gzip-store.ts";
import { hex, imageOf } from "./support/image.ts";
import { Remote } from "./support/remote.ts";
import { allDrivers, type OpenedStore, openStore, Scratch, treeOf, unmountAll } from "./support/store.ts";
import { unowned } from "./support/unowned.ts";

const reference = "registry.test/sample:1";
const tree = { "etc/conf": "upper", "etc/old": "x", "usr/bin/tool": "tool", "usr/lib/b": "b" };

let scratch: Scratch;
let opened: OpenedStore;
let remote: Remote;
let archive: string;
let chain: Digest[];
let lost = 0;

const edit = (layer: number, change: (dir: string) => Promise<unknown>) =>
  editLayer(opened.driver, chain[layer] ?? "", change);
const snapshotOf = async (layer: number): Promise<string> => {
  const names = join(opened.driver.root, "names");
  return join(names, await readlink(join(names, chain[layer] ?? "")));
};
const blobOf = (layer: number): string => join(opened.root, "blobs/sha256", hex(remote.layers[layer] ?? ""));

async function lose(path: string): Promise<void> {
  lost += 1;
  await rename(path, scratch.join(`lost-${lost}`));
}

const damages: Record<string, () => Promise<void>> = {
  "an empty file, as after a power cut": () => edit(0, (dir) => truncate(join(dir, "etc/conf"))),
  "other content of the same size": () => edit(0, (dir) => flip(join(dir, "etc/conf"))),
  "a longer file": () => edit(2, (dir) => appendFile(join(dir, "etc/conf"), "!")),
  "a missing file": () => edit(1, (dir) => rm(join(dir, "usr/bin/tool"))),
  "a file too many": () => edit(0, (dir) => writeFile(join(dir, "etc/new"), "")),
  "another mode": () => edit(0, (dir) => chmod(join(dir, "etc/old"), 0o600)),
  "another owner": () => edit(0, (dir) => chown(join(dir, "etc/old"), 1, 1)),
  "another mode of the root": () => edit(2, (dir) => chmod(dir, 0o700)),
  "a file that a symlink took the place of": () =>
    edit(2, async (dir) => {
      await rm(join(dir, "usr/lib/b"));
      await symlink("/etc/passwd", join(dir, "usr/lib/b"));
    }),
  "a renamed directory": () => edit(1, (dir) => rename(join(dir, "usr/bin"), join(dir, "usr/sbin"))),
  "a lost tree": () => edit(1, (dir) => lose(dir)),
  "two damaged layers": async () => {
    await edit(0, (dir) => truncate(join(dir, "etc/old")));
    await edit(2, (dir) => rm(join(dir, "usr/lib"), { recursive: true }));
  },
  "a lost snapshot of the lowest layer": async () => await lose(await snapshotOf(0)),
  "a lost snapshot of a middle layer": async () => await lose(await snapshotOf(1)),
  "a lost snapshot of the top layer": async () => await lose(await snapshotOf(2)),
  "all snapshots lost": async () => {
    for (const layer of [0, 1, 2]) await lose(await snapshotOf(layer));
  },
  "a lost name of the lowest layer": () => unlink(join(opened.driver.root, "names", chain[0] ?? "")),
};

const isCurrent = async (): Promise<boolean> => (await opened.store.current(reference)) !== undefined;

async function pull(): Promise<void> {
  remote.asked.length = 0;
  await opened.store.receive([remote.as([reference])]);
}

/** @param onUnpacked - called when a layer has been unpacked once more, and is about to be compared */
async function receive(onUnpacked?: () => void, signal?: AbortSignal): Promise<void> {
  await opened.store.receive([remote.as([reference])], {
    onProgress: (event) => {
      if (event.kind === "layer" && event.status === "done") onUnpacked?.();
    },
    ...(signal && { signal }),
  });
}

/** The image and the container on top of it, which was made before the damage, are as they were. */
async function expectMended(): Promise<void> {
  expect(await isCurrent()).toBe(true);
  expect(await treeOf(opened, reference)).toEqual(tree);
  expect(await opened.store.check()).toEqual([]);
  await opened.store.gc();
  expect(await unowned(opened)).toEqual([]);
  const path = await opened.store.mountContainer("above");
  expect(await readFile(join(path, "etc/mine"), "utf8")).toBe("mine");
  expect(await readFile(join(path, "usr/bin/tool"), "utf8")).toBe("tool");
  await opened.store.unmountContainer("above");
}

// One after the other in one store: each must leave it as it was.
describe.each(allDrivers)("an image that was damaged under %s", (driver) => {
  beforeAll(async () => {
    scratch = await Scratch.make(driver);
    opened = await openStore(scratch.join("store"), driver);
    const image = await imageOf([
      { "etc/": "", "etc/conf": "lower", "etc/old": "x", "etc/gone": "x" },
      { "usr/": "", "usr/bin/": "", "usr/bin/tool": "tool", "etc/.wh.gone": "" },
      { "etc/conf": "upper", "usr/lib/": "", "usr/lib/b": "b" },
    ]);
    remote = new Remote(image);
    chain = chainIds(image.diffIds.map((id): Digest => `sha256:${hex(id)}`));
    await pull();
    archive = scratch.join("archive.tar");
    await writeFile(archive, await buffer(opened.store.save([reference])));
    await opened.store.createContainer(reference, { name: "above" });
    await writeFile(join(await opened.store.mountContainer("above"), "etc/mine"), "mine");
    await opened.store.unmountContainer("above");
  });

  afterAll(async () => {
    await unmountAll(opened);
    await opened[Symbol.asyncDispose]();
    await scratch[Symbol.asyncDispose]();
  });

  it.each(Object.entries(damages))(
    "%s: is seen, and mended from the blob that is here",
    async (_, damage) => {
      expect(await isCurrent()).toBe(true);
      await damage();
      expect(await isCurrent()).toBe(false);
      await pull();
      expect(remote.askedLayers).toEqual([]);
      await expectMended();
    },
  );

  it("is mended by loading it again, too", async () => {
    await edit(0, (dir) => truncate(join(dir, "etc/conf")));
    await lose(await snapshotOf(1));
    await opened.store.load(archive);
    await expectMended();
  });

  it("is mended by a repair of the store, too, where a check says that it is lost", async () => {
    await edit(0, (dir) => truncate(join(dir, "etc/conf")));
    await lose(await snapshotOf(1));
    expect((await opened.store.check()).map(({ subject }) => subject)).toContain(chain[1]);
    expect(await opened.store.repair()).toEqual([]);
    await expectMended();
  });

  it.each([
    ["short", (path: string) => truncate(path, 10)],
    ["wrong", flip],
    ["gone", (path: string) => rm(path)],
  ])("is mended from elsewhere, where its blob is %s as well", async (_, damage) => {
    await edit(1, (dir) => truncate(join(dir, "usr/bin/tool")));
    await damage(blobOf(1));
    await pull();
    expect(remote.askedLayers).toEqual([{ layer: 1, from: 0 }]);
    await expectMended();
  });

  it.each([
    ["a file", () => edit(0, (dir) => truncate(join(dir, "etc/old"))), /\/etc\/old: size/],
    ["its record", async () => truncate(join(await snapshotOf(0), "committed.json")), /it is lost/],
  ])(
    "with %s damaged it is left below a mounted container, which the error names",
    async (_, damage, what) => {
      const path = await opened.store.mountContainer("above");
      await damage();
      await expect(pull()).rejects.toMatchObject({ code: "Busy", message: expect.stringMatching(what) });
      await expect(pull()).rejects.toThrow("; unmount above, and try again");
      expect(await opened.store.repair()).toContainEqual(
        expect.objectContaining({
          message: expect.stringContaining("unmount above, and repair the store again"),
        }),
      );
      expect(await readFile(join(path, "usr/bin/tool"), "utf8")).toBe("tool");
      await opened.store.unmountContainer("above");
      await pull();
      await expectMended();
    },
  );

  it("is mended as soon as nobody works on it any more", async () => {
    await edit(0, (dir) => truncate(join(dir, "etc/old")));
    const lock = await FileLock.take(await snapshotOf(0), "exclusive", { create: false });
    await expect(pull()).rejects.toMatchObject({
      code: "Busy",
      message: expect.stringMatching(/try again$/),
    });
    await receive(() => void setTimeout(() => lock.release(), 50));
    await expectMended();
  });

  it("is mended by two pulls at once, and a container made meanwhile", async () => {
    await edit(0, (dir) => truncate(join(dir, "etc/conf")));
    await edit(2, (dir) => rm(join(dir, "usr/lib/b")));
    const create = () => opened.store.createContainer(reference, { name: "beside" });
    await Promise.all([receive(), receive(), create()]);
    await opened.store.removeContainer("beside");
    await expectMended();
  });

  it("stays as it is, if the pull is aborted when it has been unpacked once more", async () => {
    await edit(2, (dir) => truncate(join(dir, "etc/conf")));
    const { ino } = await stat(await snapshotOf(2));
    const controller = new AbortController();
    const reason = new Error("no more");
    const pulled = receive(() => controller.abort(reason), controller.signal);
    await expect(pulled).rejects.toBe(reason);
    expect((await stat(await snapshotOf(2))).ino).toBe(ino);
    expect(await isCurrent()).toBe(false);
    await pull();
    await expectMended();
  });

  it("is sealed anew by a repair, which finds it right after its files were touched", async () => {
    await edit(0, (dir) => chmod(join(dir, "etc/old"), 0o644));
    expect(await isCurrent()).toBe(false);
    expect(await opened.store.repair()).toEqual([]);
    expect(await isCurrent()).toBe(true);
  });

  it("is not touched where nothing is wrong: by mounts, a commit, a look after a copy or a new start", async () => {
    const inodes = () =>
      Promise.all([0, 1, 2].map(async (layer) => (await stat(await snapshotOf(layer))).ino));
    const before = await inodes();
    await opened.store.mountContainer("above");
    await opened.store.commit("above", { reference: "made:1" });
    await opened.store.createContainer("made:1", { name: "made" });
    await opened.store.mountContainer("made");
    expect(await isCurrent()).toBe(true);
    await opened.store.removeContainer("made", { force: true });
    await opened.store.unmountContainer("above");
    expect(await opened.store.current("made:1")).toBeDefined();
    expect(await isCurrent()).toBe(true);

    for await (const { id, labels } of opened.driver.list({ kind: "committed" })) {
      const seal = labels["dev.strata.layer.seal"] ?? "";
      await opened.driver.setLabels(id, {
        ...labels,
        "dev.strata.layer.seal": seal.replace(/"boot":"[^"]*"/, '"boot":"of another start"'),
      });
    }
    expect(await isCurrent()).toBe(true);
    // As in a copy of the whole store.
    for (const layer of [0, 1, 2]) {
      await edit(layer, async (dir) => await chmod(join(dir, "etc"), 0o755).catch(() => chmod(dir, 0o755)));
    }
    expect(await isCurrent()).toBe(false);
    await pull();
    expect(remote.askedLayers).toEqual([]);
    expect(await inodes()).toEqual(before);
    await expectMended();
  });
});
