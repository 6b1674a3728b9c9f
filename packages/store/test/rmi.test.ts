import { readFile, writeFile } from "node:fs/promises";
import { chainIds, type Digest } from "@strata/core";
import type { Removal } from "@strata/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hex, imageOf, type TestImage } from "./support/image.ts";
import { loadImages } from "./support/load.ts";
import { drivers, listing, type OpenedStore, openStore, Scratch, unmountAll } from "./support/store.ts";

let scratch: Scratch;
let opened: OpenedStore;
let one: TestImage;
let two: TestImage;

const short = (id: string): string => id.replace("sha256:", "").slice(0, 12);

/** Two images, the second with the first's layer and one more. */
async function open(driver = drivers[0]): Promise<void> {
  scratch = await Scratch.make();
  opened = await openStore(scratch.join("store"), driver);
  one = await imageOf([{ base: "base" }]);
  two = await imageOf([{ base: "base" }, { more: "more" }]);
  await loadImages(scratch, opened, [
    { image: one, tags: ["one:1"] },
    { image: two, tags: ["two:1"] },
  ]);
}

afterEach(async () => {
  await unmountAll(opened);
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

function chainsOf(image: TestImage): Digest[] {
  return chainIds(image.diffIds.map((diffId): Digest => `sha256:${hex(diffId)}`));
}

async function remove(reference: string, options = {}): Promise<Removal> {
  const [removal, ...others] = await opened.store.removeImages([reference], options);
  expect(others).toEqual([]);
  if (removal === undefined) throw new Error("nothing said");
  return removal;
}

async function names(): Promise<string[]> {
  return (await opened.store.images({ all: true })).flatMap(({ references }) => references);
}

async function digestOf(reference: string): Promise<Digest> {
  return (await opened.store.resolve(reference)).digest;
}

async function commit(image: string, file: string, reference?: string): Promise<Digest> {
  const { id } = await opened.store.createContainer(image);
  const path = await opened.store.mountContainer(id);
  await writeFile(`${path}/${file}`, file);
  await opened.store.unmountContainer(id);
  const made = await opened.store.commit(id, reference === undefined ? {} : { reference });
  await opened.store.removeContainer(id);
  return made.id;
}

describe.each(drivers)("removing images under %s", (driver) => {
  beforeEach(() => open(driver));

  it("says what was untagged and deleted, and leaves what others need", async () => {
    const [shared, own] = chainsOf(two);
    const digest = await digestOf("two:1");
    expect(await remove("two:1")).toEqual({
      reference: "two:1",
      events: [{ untagged: "two:1" }, { untagged: `two@${digest}` }, { deleted: two.id }, { deleted: own }],
    });
    expect(await opened.driver.stat(String(shared))).toBeDefined();
    expect((await remove(short(one.id))).events.at(-1)).toEqual({ deleted: shared });
    expect(await opened.store.images()).toEqual([]);
  });

  it("gives the disk space back", async () => {
    await opened.store.removeImages(["one:1", "two:1"]);
    const left = await listing(opened.root);
    expect(left.filter((path) => /blobs\/sha256\/|snapshots\/|trash\/|names\//.test(path))).toEqual([]);
  });
});

describe("removing images", () => {
  beforeEach(() => open());

  it("by a tag keeps the image as long as it has another", async () => {
    await opened.store.tag("one:1", "one:2");
    expect((await remove("one:1")).events).toEqual([{ untagged: "one:1" }]);
    await opened.store.tag("one:2", "elsewhere/one:1");
    const digest = await digestOf("one:2");
    const { events } = await remove("one:2");
    expect(events).toEqual([{ untagged: "one:2" }, { untagged: `one@${digest}` }]);
    expect(await names()).toContain("docker.io/elsewhere/one:1");
  });

  it("by a digest takes every tag of that repository", async () => {
    await opened.store.tag("one:1", "one:2");
    const digest = await digestOf("one:2");
    expect((await remove(`one@${digest}`)).events.slice(0, 4)).toEqual([
      { untagged: "one:1" },
      { untagged: "one:2" },
      { untagged: `one@${digest}` },
      { deleted: one.id },
    ]);
  });

  it("by the ID of one with several tags must be forced", async () => {
    await opened.store.tag("one:1", "elsewhere/one:1");
    const { error, events } = await remove(short(one.id));
    expect(events).toEqual([]);
    expect(error).toMatchObject({
      code: "FailedPrecondition",
      message: `conflict: unable to delete ${short(one.id)} (must be forced) - image is referenced in multiple repositories`,
    });
    const forced = await remove(short(one.id), { force: true });
    expect(forced.events.slice(0, 2)).toEqual([{ untagged: "elsewhere/one:1" }, { untagged: "one:1" }]);
    expect(await names()).toEqual(["docker.io/library/two:1"]);
  });

  it("that are not there is an error, for each of them", async () => {
    const [first, second, third] = await opened.store.removeImages(["nothing", "one:1", "One"]);
    expect(first).toMatchObject({
      events: [],
      error: { code: "NotFound", message: "No such image: nothing" },
    });
    expect(second?.error).toBeUndefined();
    expect(third).toMatchObject({ error: { code: "InvalidArgument" } });
    expect(await names()).toEqual(["docker.io/library/two:1"]);
  });

  it("twice in one command is once", async () => {
    const [removal, ...others] = await opened.store.removeImages([one.id, "one:1", one.id]);
    expect(removal?.events).toContainEqual({ deleted: one.id });
    expect(others).toEqual([{ reference: "one:1", events: [] }]);
  });
});

describe("an image that a container uses", () => {
  let container: string;
  beforeEach(async () => {
    await open();
    container = (await opened.store.createContainer("one:1")).id;
  });

  it("keeps its last tag, unless forced: then it is untagged only", async () => {
    const { error } = await remove("one:1");
    expect(error?.message).toBe(
      `conflict: unable to remove repository reference "one:1" (must force) - container ${short(container)} is using its referenced image ${short(one.id)}`,
    );
    expect((await remove("one:1", { force: true })).events).toEqual([
      { untagged: "one:1" },
      { untagged: expect.stringMatching(/^one@sha256:/) },
    ]);
    expect((await opened.store.resolve(one.id)).references).toEqual([]);
    expect(await opened.store.check()).toEqual([]);
  });

  it("loses one of several tags", async () => {
    await opened.store.tag("one:1", "one:2");
    expect((await remove("one:1")).events).toEqual([{ untagged: "one:1" }]);
  });

  it("must be forced by ID; the container keeps its files", async () => {
    const { error } = await remove(one.id);
    expect(error?.message).toBe(
      `conflict: unable to delete ${short(one.id)} (must be forced) - image is being used by stopped container ${short(container)}`,
    );
    expect((await remove(one.id, { force: true })).events.at(-1)).toEqual({ deleted: one.id });
    await opened.store.gc();
    const path = await opened.store.mountContainer(container);
    expect(await readFile(`${path}/base`, "utf8")).toBe("base");
    await expect(opened.store.commit(container)).rejects.toThrow("its image one:1");
    expect(await opened.store.check()).toMatchObject([
      { message: expect.stringContaining("has been removed") },
    ]);
  });

  it("cannot be forced while the container is mounted", async () => {
    await opened.store.mountContainer(container);
    const { error } = await remove(one.id, { force: true });
    expect(error?.message).toBe(
      `conflict: unable to delete ${short(one.id)} (cannot be forced) - image is being used by running container ${short(container)}`,
    );
  });
});

describe("an image with others committed on top of it", () => {
  beforeEach(() => open());

  it("cannot be removed by ID: the children are named, with the command that removes them", async () => {
    const child = await commit("one:1", "file", "child:1");
    const other = await commit("one:1", "other");
    const { error } = await remove(one.id, { force: true });
    expect(error?.message).toBe(
      `conflict: unable to delete ${short(one.id)} (cannot be forced) - image has dependent child images: ` +
        `child:1 (${short(child)}), ${short(other)}; remove them first: strata rmi child:1 ${short(other)}`,
    );
  });

  it("is untagged by its tag, and goes with its last child", async () => {
    const child = await commit("one:1", "file", "child:1");
    expect((await remove("one:1")).events).toHaveLength(2);
    expect((await opened.store.images()).map(({ id }) => id)).not.toContain(one.id);
    expect((await opened.store.images({ all: true })).map(({ id }) => id)).toContain(one.id);
    const deleted = (await remove("child:1")).events.flatMap((event) =>
      "deleted" in event ? event.deleted : [],
    );
    expect(deleted.slice(0, 1)).toEqual([child]);
    expect(deleted).toContain(one.id);
  });

  it("stays without its tag if pruning is off", async () => {
    await commit("one:1", "file", "child:1");
    await remove("one:1");
    await remove("child:1", { prune: false });
    expect((await opened.store.images()).map(({ id }) => id)).toContain(one.id);
  });

  it("goes with them in one command, in any order", async () => {
    const child = await commit("one:1", "file", "child:1");
    const grandchild = await commit("child:1", "more", "grandchild:1");
    const removals = await opened.store.removeImages([one.id, child, grandchild, two.id]);
    expect(removals.map(({ reference, error }) => ({ reference, error }))).toEqual(
      [one.id, child, grandchild, two.id].map((reference) => ({ reference, error: undefined })),
    );
    expect(await opened.store.images({ all: true })).toEqual([]);
  });

  it("shows in the history of its children", async () => {
    const child = await commit("two:1", "file", "child:1");
    expect((await opened.store.history(child)).map(({ id }) => id)).toEqual([child, two.id, undefined]);
  });
});
