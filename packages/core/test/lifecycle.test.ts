import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createDriver,
  type SnapshotInfo,
  type StorageDriver,
  StrataError,
  supported,
  unsupported,
} from "@strata/core";
import { describe, expect, test } from "vitest";
import { directoryMechanism } from "./fixtures/directory-mechanism.mjs";
import { directoryDriver, litter, scratch } from "./scratch.ts";

const code = (name: string) => expect.objectContaining({ name: "StrataError", code: name });

async function committed(driver: StorageDriver, name: string, parent?: string): Promise<SnapshotInfo> {
  const active = await driver.prepare(`${name}-key`, parent);
  return active.commit(name);
}

async function all(list: AsyncIterable<SnapshotInfo>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of list) ids.push(id);
  return ids.sort();
}

describe("opening", () => {
  test("an empty root is empty", async () => {
    const driver = await directoryDriver();
    expect(await all(driver.list())).toEqual([]);
    expect(await driver.check()).toEqual([]);
    expect(await driver.cleanup()).toEqual({ removed: 0, bytes: 0 });
  });

  test("the state is there again after the driver was closed", async () => {
    const root = scratch();
    await using first = await directoryDriver({ root });
    await committed(first, "base");
    await first.close();
    const second = await directoryDriver({ root });
    expect(await second.stat("base")).toMatchObject({ kind: "committed", id: "base" });
  });

  test("the root of another driver is refused", async () => {
    const root = scratch();
    await directoryDriver({ root });
    const other = { ...directoryMechanism(), name: "other" };
    await expect(createDriver(other, { root })).rejects.toEqual(code("FailedPrecondition"));
  });

  test("a root where the mechanism cannot work is left as it was", async () => {
    const root = join(scratch(), "root");
    const unable = {
      ...directoryMechanism(),
      name: "unable",
      probe: () => Promise.reject(new StrataError("Unsupported", "not on this host; take another driver")),
    };
    await expect(createDriver(unable, { root })).rejects.toEqual(code("Unsupported"));
    expect(readdirSync(root)).toEqual([]);
    await directoryDriver({ root });
  });

  test("a programmer's mistakes are TypeErrors", async () => {
    const driver = await directoryDriver();
    // @ts-expect-error a root is needed
    await expect(createDriver(directoryMechanism(), {})).rejects.toThrow(TypeError);
    // @ts-expect-error a word that is not known
    await expect(directoryDriver({ durability: "always" })).rejects.toThrow(TypeError);
    // @ts-expect-error a key is a string
    await expect(driver.prepare(7)).rejects.toThrow(TypeError);
    // @ts-expect-error labels are strings
    await expect(driver.prepare("k", undefined, { labels: { size: 7 } })).rejects.toThrow(TypeError);
    await expect(driver.prepare("k", undefined, { quota: { bytes: -1 } })).rejects.toThrow(TypeError);
  });

  test.each(["", ".", "..", "a/b", "../a", "-a", "ä", "a\n", "a".repeat(256)])(
    "the id %j is refused",
    async (id) => {
      const driver = await directoryDriver();
      await expect(driver.prepare(id)).rejects.toEqual(code("InvalidArgument"));
      await expect(driver.stat(id)).rejects.toEqual(code("InvalidArgument"));
      const active = await driver.prepare("good");
      await expect(active.commit(id)).rejects.toEqual(code("InvalidArgument"));
    },
  );

  test("a digest and 255 characters are ids", async () => {
    const driver = await directoryDriver();
    for (const id of [`sha256:${"0".repeat(64)}`, "a".repeat(255)]) {
      await driver.prepare(id);
      expect((await driver.stat(id)).id).toBe(id);
    }
  });

  test("a closed driver does nothing more, and closing twice is fine", async () => {
    const driver = await directoryDriver();
    const active = await driver.prepare("a");
    await driver.close();
    await driver.close();
    await expect(driver.prepare("b")).rejects.toEqual(code("FailedPrecondition"));
    await expect(active.mount()).rejects.toEqual(code("FailedPrecondition"));
    await expect(all(driver.list())).rejects.toEqual(code("FailedPrecondition"));
  });
});

describe("prepare and commit", () => {
  test("child equals parent, and changes nothing in it", async () => {
    const driver = await directoryDriver();
    const base = await driver.prepare("work");
    writeFileSync(join(base.layout().dir, "file"), "of the base");
    await base.commit("base");

    const child = await driver.prepare("work", "base");
    expect(readFileSync(join(child.layout().dir, "file"), "utf8")).toBe("of the base");
    writeFileSync(join(child.layout().dir, "file"), "of the child");
    const again = await driver.prepare("again", "base");
    expect(readFileSync(join(again.layout().dir, "file"), "utf8")).toBe("of the base");
  });

  test("stat of an active, a view and a committed one", async () => {
    const driver = await directoryDriver();
    const before = Date.now();
    await driver.prepare("active", undefined, { labels: { a: "1" } });
    await committed(driver, "base");
    await driver.view("view", "base", { labels: { v: "2" } });
    expect(await driver.stat("active")).toMatchObject({ kind: "active", id: "active", labels: { a: "1" } });
    expect(await driver.stat("active")).not.toHaveProperty("parent");
    expect(await driver.stat("view")).toMatchObject({
      kind: "view",
      id: "view",
      parent: "base",
      labels: { v: "2" },
    });
    const base = await driver.stat("base");
    expect(base).toMatchObject({ kind: "committed", id: "base", labels: {} });
    expect(base.createdAt.getTime()).toBeGreaterThanOrEqual(before - 1);
    expect(base.updatedAt.getTime()).toBeGreaterThanOrEqual(base.createdAt.getTime());
    expect((await driver.open("view")).kind).toBe("view");
    expect((await driver.open("base")).kind).toBe("committed");
    expect(await driver.open("view")).toMatchObject({ id: "view", parent: "base" });
  });

  test("what is not there is NotFound", async () => {
    const driver = await directoryDriver();
    for (const call of [
      driver.stat("no"),
      driver.open("no"),
      driver.remove("no"),
      driver.usage("no"),
      driver.setLabels("no", {}),
      driver.prepare("a", "no"),
      driver.view("a", "no"),
    ]) {
      await expect(call).rejects.toEqual(code("NotFound"));
    }
    expect(await all(driver.list())).toEqual([]);
    expect(litter(driver)).toEqual([]);
  });

  test("the key is gone after the commit, and can be used again", async () => {
    const driver = await directoryDriver();
    const active = await driver.prepare("key");
    await active.commit("name");
    await expect(driver.stat("key")).rejects.toEqual(code("NotFound"));
    await driver.prepare("key", "name");
    await driver.remove("key");
    await driver.prepare("key");
  });

  test("a key or name that is taken is AlreadyExists, whatever holds it", async () => {
    const driver = await directoryDriver();
    await committed(driver, "name");
    await driver.prepare("active");
    await driver.view("view", "name");
    const active = await driver.prepare("another");
    for (const id of ["name", "active", "view"]) {
      await expect(driver.prepare(id)).rejects.toEqual(code("AlreadyExists"));
      await expect(driver.view(id, "name")).rejects.toEqual(code("AlreadyExists"));
      await expect(active.commit(id)).rejects.toEqual(code("AlreadyExists"));
    }
    expect((await driver.stat("another")).kind).toBe("active");
    expect(litter(driver)).toEqual([]);
    // Not even its own key can be its name.
    await expect(active.commit("another")).rejects.toEqual(code("AlreadyExists"));
    await active.commit("fresh");
  });

  test("a commit of what is committed or removed fails", async () => {
    const driver = await directoryDriver();
    const active = await driver.prepare("a");
    const same = await driver.open("a");
    await active.commit("name");
    await expect(active.commit("other")).rejects.toEqual(code("FailedPrecondition"));
    await expect(active.mount()).rejects.toEqual(code("FailedPrecondition"));
    if (same.kind !== "active") throw new Error("not active");
    await expect(same.commit("other")).rejects.toEqual(code("FailedPrecondition"));

    const removed = await driver.prepare("b");
    await driver.remove("b");
    await expect(removed.commit("other")).rejects.toEqual(code("NotFound"));
    await expect(removed.mount()).rejects.toEqual(code("NotFound"));
    // Another of the same key is not meant.
    await driver.prepare("b");
    await expect(removed.commit("other")).rejects.toEqual(code("NotFound"));
  });

  test("an active or a view is no parent", async () => {
    const driver = await directoryDriver();
    await driver.prepare("active");
    await driver.view("view");
    for (const parent of ["active", "view"]) {
      await expect(driver.prepare("a", parent)).rejects.toEqual(code("FailedPrecondition"));
      await expect(driver.view("a", parent)).rejects.toEqual(code("FailedPrecondition"));
    }
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

  test("what a mechanism cannot create leaves nothing", async () => {
    const driver = await directoryDriver({
      duringCreate: () => Promise.reject(Object.assign(new Error("no space left"), { code: "ENOSPC" })),
    });
    await expect(driver.prepare("a")).rejects.toEqual(code("NoSpace"));
    expect(litter(driver)).toEqual([]);
    expect(await driver.cleanup()).toEqual({ removed: 0, bytes: 0 });
  });

  test("a failed commit changes nothing, and can be tried again", async () => {
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
});

describe("a parent given at the commit", () => {
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

  test("must be committed, and must not be another than it was prepared on", async () => {
    const driver = await directoryDriver();
    await committed(driver, "base");
    await committed(driver, "other");
    const child = await driver.prepare("child", "base");
    const orphan = await driver.prepare("orphan");
    await expect(child.commit("c", { parent: "other" })).rejects.toEqual(code("FailedPrecondition"));
    await expect(orphan.commit("o", { parent: "child" })).rejects.toEqual(code("FailedPrecondition"));
    await expect(orphan.commit("o", { parent: "no" })).rejects.toEqual(code("NotFound"));
    await expect(orphan.commit("o", { parent: "o" })).rejects.toEqual(code("NotFound"));
    await child.commit("c", { parent: "base" });
    // What failed did not make "other" a parent.
    await driver.remove("other");
  });

  test("needs the capability", async () => {
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

describe("labels", () => {
  test("are replaced as a whole; the rest stays", async () => {
    const driver = await directoryDriver({ durability: "commit" });
    const active = await driver.prepare("a", undefined, { labels: { one: "1", two: "2" } });
    const { createdAt } = await driver.stat("a");
    const info = await driver.setLabels("a", { three: "3" });
    expect(info).toMatchObject({ kind: "active", labels: { three: "3" }, createdAt });
    expect(await driver.stat("a")).toEqual(info);
    await active.commit("name");
    expect((await driver.stat("name")).labels).toEqual({ three: "3" });
    await driver.setLabels("name", { four: "4" });
    expect(await driver.stat("name")).toMatchObject({ kind: "committed", labels: { four: "4" }, createdAt });
  });

  test("may be called anything", async () => {
    const driver = await directoryDriver();
    const labels = JSON.parse('{"__proto__": "p", "constructor": "c", "": "", "ключ": "значение"}');
    await driver.prepare("a", undefined, { labels });
    expect(Object.entries((await driver.stat("a")).labels)).toEqual(Object.entries(labels));
  });
});

describe("list", () => {
  test("filters by kind, parent and labels", async () => {
    const driver = await directoryDriver();
    await committed(driver, "base");
    await driver.prepare("a1", "base", { labels: { x: "1", y: "1" } });
    await driver.prepare("a2", undefined, { labels: { x: "1" } });
    await driver.view("v1", "base");
    expect(await all(driver.list())).toEqual(["a1", "a2", "base", "v1"]);
    expect(await all(driver.list({ kind: "active" }))).toEqual(["a1", "a2"]);
    expect(await all(driver.list({ kind: "view" }))).toEqual(["v1"]);
    expect(await all(driver.list({ kind: "committed" }))).toEqual(["base"]);
    expect(await all(driver.list({ parent: "base" }))).toEqual(["a1", "v1"]);
    expect(await all(driver.list({ labels: { x: "1" } }))).toEqual(["a1", "a2"]);
    expect(await all(driver.list({ kind: "active", parent: "base", labels: { y: "1" } }))).toEqual(["a1"]);
    expect(await all(driver.list({ labels: { toString: "1" } }))).toEqual([]);
  });

  test("stat and remove work in the middle of it", async () => {
    const driver = await directoryDriver();
    for (let n = 0; n < 200; n++) await driver.prepare(`k${n}`);
    const seen = new Set<string>();
    for await (const { id } of driver.list()) {
      seen.add((await driver.stat(id)).id);
      await driver.remove(id);
      if (seen.size === 100)
        await Promise.all([...Array(50).keys()].map((n) => driver.remove(`k${n}`).catch(() => 0)));
    }
    expect(await all(driver.list())).toEqual([]);
  });
});

describe("remove", () => {
  test("refuses while there are children, and names them", async () => {
    const driver = await directoryDriver();
    await committed(driver, "base");
    await driver.view("view-1", "base");
    await expect(driver.remove("base")).rejects.toEqual(code("FailedPrecondition"));
    await expect(driver.remove("base")).rejects.toThrow(/"view-1"; remove its children first/);
    await committed(driver, "child", "base");
    await driver.remove("view-1");
    await expect(driver.remove("base")).rejects.toThrow(/parent of "child"/);
    await driver.remove("child");
    await driver.remove("base");
    expect(await all(driver.list())).toEqual([]);
  });

  test("frees the id at once; cleanup gives the bytes back", async () => {
    const driver = await directoryDriver();
    const active = await driver.prepare("a");
    const tree = active.layout().dir;
    writeFileSync(join(tree, "big"), Buffer.alloc(1_000_000, 1));
    const usage = await driver.usage("a");
    expect(usage.bytes).toBeGreaterThanOrEqual(1_000_000);
    await driver.remove("a");
    await driver.prepare("a");
    expect(litter(driver)).toHaveLength(1);
    const report = await driver.cleanup();
    expect(report.removed).toBe(1);
    expect(report.bytes).toBeGreaterThanOrEqual(usage.bytes);
    expect(litter(driver)).toEqual([]);
    expect(await driver.cleanup()).toEqual({ removed: 0, bytes: 0 });
  });

  test("cleanup goes on when one cannot be destroyed, and says so", async () => {
    const mechanism = directoryMechanism();
    let failing = true;
    const driver = await createDriver(
      {
        ...mechanism,
        destroy: (dir, options) => {
          if (!failing) return mechanism.destroy(dir, options);
          failing = false;
          return Promise.reject(Object.assign(new Error("input/output error"), { code: "EIO" }));
        },
      },
      { root: scratch(), durability: "none" },
    );
    for (const key of ["a", "b", "c"]) {
      await driver.prepare(key);
      await driver.remove(key);
    }
    await expect(driver.cleanup()).rejects.toEqual(code("Corrupt"));
    expect(litter(driver)).toHaveLength(1);
    expect(await driver.cleanup()).toMatchObject({ removed: 1 });
  });

  test("removes what is damaged too, and check finds it first", async () => {
    const driver = await directoryDriver();
    await committed(driver, "base");
    const { id: _, ...nameless } = {
      ...{ kind: "active", id: "a", chain: [], labels: {} },
      ...{ createdAt: new Date(), updatedAt: new Date() },
    };
    for (const damage of ["", "{", "null", '{"kind":"active"}', JSON.stringify(nameless)]) {
      const active = await driver.prepare("a", "base");
      writeFileSync(join(active.layout().dir, "../snapshot.json"), damage);
      await expect(driver.stat("a")).rejects.toEqual(code("Corrupt"));
      expect(await all(driver.list())).toEqual(["base"]);
      expect(await driver.check()).toEqual([
        { subject: "a", message: expect.stringContaining("remove the snapshot") },
      ]);
      await driver.remove("a");
      expect(await driver.check()).toEqual([]);
    }
    await driver.remove("base");
    await driver.cleanup();
    expect(litter(driver)).toEqual([]);
  });
});

describe("an abort", () => {
  const reason = new Error("enough");

  test("before the call rejects with its reason", async () => {
    const driver = await directoryDriver();
    const active = await driver.prepare("a");
    const signal = AbortSignal.abort(reason);
    await expect(driver.prepare("b", undefined, { signal })).rejects.toBe(reason);
    await expect(driver.view("b", undefined, { signal })).rejects.toBe(reason);
    await expect(active.commit("name", { signal })).rejects.toBe(reason);
    await expect(driver.usage("a", { signal })).rejects.toBe(reason);
    expect(await all(driver.list())).toEqual(["a"]);
  });

  test("in the middle of prepare leaves nothing", async () => {
    const abort = new AbortController();
    const driver = await directoryDriver({
      duringCreate: async () => abort.abort(reason),
    });
    await expect(driver.prepare("a", undefined, { signal: abort.signal })).rejects.toBe(reason);
    expect(litter(driver)).toEqual([]);
  });

  test("in the middle of commit leaves the snapshot active", async () => {
    const abort = new AbortController();
    const driver = await directoryDriver({ duringSeal: async () => abort.abort(reason) });
    const active = await driver.prepare("a");
    await expect(active.commit("name", { signal: abort.signal })).rejects.toBe(reason);
    expect(await all(driver.list())).toEqual(["a"]);
    await active.commit("name");
  });
});
