import { createDriver, supported, unsupported } from "@strata/core";
import { describe, expect, test } from "vitest";
import { directoryMechanism } from "./fixtures/directory-mechanism.mjs";
import { committed, directoryDriver, idsOf, litter, scratch } from "./scratch.ts";

const reason = new Error("enough");
const code = (name: string) => expect.objectContaining({ name: "StrataError", code: name });

describe("prepare", () => {
  test("that is refused leaves nothing", async () => {
    const driver = await directoryDriver();
    await committed(driver, "name");
    await driver.prepare("active");
    await expect(driver.prepare("a", "no")).rejects.toEqual(code("NotFound"));
    await expect(driver.view("a", "active")).rejects.toEqual(code("FailedPrecondition"));
    for (const id of ["name", "active"]) {
      await expect(driver.prepare(id)).rejects.toEqual(code("AlreadyExists"));
      await expect(driver.view(id, "name")).rejects.toEqual(code("AlreadyExists"));
    }
    expect(litter(driver)).toEqual([]);
  });

  test("of what a mechanism cannot create leaves nothing", async () => {
    const driver = await directoryDriver({
      duringCreate: () => Promise.reject(Object.assign(new Error("no space left"), { code: "ENOSPC" })),
    });
    await expect(driver.prepare("a")).rejects.toEqual(code("NoSpace"));
    expect(litter(driver)).toEqual([]);
    expect(await driver.cleanup()).toEqual({ removed: 0, bytes: 0 });
  });

  test("that is aborted in the middle leaves nothing", async () => {
    const abort = new AbortController();
    const driver = await directoryDriver({
      duringCreate: async () => abort.abort(reason),
    });
    await expect(driver.prepare("a", undefined, { signal: abort.signal })).rejects.toBe(reason);
    expect(litter(driver)).toEqual([]);
  });

  test("a chain longer than maxDepth is DepthExceeded", async () => {
    const driver = await directoryDriver();
    await committed(driver, "1");
    await committed(driver, "2", "1");
    await committed(driver, "3", "2");
    await driver.prepare("4", "3");
    await committed(driver, "4th", "3");
    await expect(driver.prepare("5", "4th")).rejects.toEqual(code("DepthExceeded"));
    const late = await driver.prepare("late");
    await expect(late.commit("5th", { parent: "4th" })).rejects.toEqual(code("DepthExceeded"));
    expect((await driver.stat("late")).kind).toBe("active");
  });

  test("the mechanism sees the parents in order, nearest first", async () => {
    const dirs: string[][] = [];
    const mechanism = directoryMechanism();
    const spy = {
      ...mechanism,
      layout: (place: Parameters<typeof mechanism.layout>[0]) => {
        dirs.push([place.dir, ...place.parents]);
        return mechanism.layout(place);
      },
    };
    const driver = await createDriver(spy, { root: scratch(), durability: "none" });
    let parent: string | undefined;
    for (const name of ["1", "2", "3"]) {
      await committed(driver, name, parent);
      (await driver.open(name)).layout();
      parent = name;
    }
    const [first, second, third] = dirs.map(([dir]) => dir);
    expect(dirs).toEqual([[first], [second, first], [third, second, first]]);
  });
});

describe("commit", () => {
  test("that fails changes nothing, and can be tried again", async () => {
    let fails = true;
    const driver = await directoryDriver({
      duringSeal: () => (fails ? Promise.reject(new Error("not yet")) : Promise.resolve()),
    });
    const active = await driver.prepare("a", undefined, { labels: { l: "1" } });
    await expect(active.commit("name", { labels: { l: "2" } })).rejects.toThrow("not yet");
    expect(await driver.stat("a")).toMatchObject({ kind: "active", labels: { l: "1" } });
    fails = false;
    await active.commit("name", { labels: { l: "2" } });
    expect(await driver.stat("name")).toMatchObject({ labels: { l: "2" } });
  });

  test("that is aborted in the middle leaves the snapshot active", async () => {
    const abort = new AbortController();
    const driver = await directoryDriver({ duringSeal: async () => abort.abort(reason) });
    const active = await driver.prepare("a");
    await expect(active.commit("name", { signal: abort.signal })).rejects.toBe(reason);
    expect(await idsOf(driver)).toEqual(["a"]);
    await active.commit("name");
  });

  test("chains layers that were made side by side", async () => {
    const driver = await directoryDriver({ durability: "commit" });
    const [one, two] = await Promise.all([driver.prepare("one"), driver.prepare("two")]);
    await driver.sync();
    await one.commit("1", { synced: true });
    await two.commit("2", { synced: true, parent: "1" });
    expect((await driver.stat("2")).parent).toBe("1");
    await expect(driver.remove("1")).rejects.toEqual(code("FailedPrecondition"));
    await driver.remove("2");
    await driver.remove("1");
  });

  test("on a parent given later needs the capability", async () => {
    const driver = await directoryDriver({ capabilities: { rebase: unsupported("it copies") } });
    await committed(driver, "base");
    const orphan = await driver.prepare("orphan");
    await expect(orphan.commit("o", { parent: "base" })).rejects.toThrow(/cannot commit on top .* it copies/);
  });
});

describe("quota", () => {
  test("that cannot be enforced is Unsupported, with the reason", async () => {
    const driver = await directoryDriver();
    await expect(driver.prepare("a", undefined, { quota: { bytes: 1 } })).rejects.toEqual(
      code("Unsupported"),
    );
    await expect(driver.prepare("a", undefined, { quota: { inodes: 1 } })).rejects.toThrow(
      /plain directories/,
    );
  });

  test("that can be enforced reaches the mechanism", async () => {
    const mechanism = directoryMechanism({ capabilities: { quotaBytes: supported("pretends") } });
    let seen: unknown;
    const spy: typeof mechanism = {
      ...mechanism,
      create: (place, options) => {
        seen = options.quota;
        return mechanism.create(place, options);
      },
    };
    const driver = await createDriver(spy, { root: scratch() });
    await driver.prepare("a", undefined, { quota: { bytes: 4096 } });
    expect(seen).toEqual({ bytes: 4096 });
  });
});
