import { existsSync, lstatSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { Child } from "./child.ts";
import { directoryDriver, litter, scratch } from "./scratch.ts";

const code = (name: string) => expect.objectContaining({ name: "StrataError", code: name });
const isMounted = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

describe("mounts are counted", () => {
  test("the last close unmounts", async () => {
    const driver = await directoryDriver();
    const active = await driver.prepare("a");
    expect(await active.mountedAt()).toBeUndefined();
    const one = await active.mount();
    const two = await active.mount();
    expect(two.path).toBe(one.path);
    expect(await active.mountedAt()).toBe(one.path);
    await one.close();
    expect(isMounted(two.path)).toBe(true);
    expect(await active.mountedAt()).toBe(two.path);
    await two.close();
    expect(isMounted(two.path)).toBe(false);
    expect(await active.mountedAt()).toBeUndefined();
  });

  test("closing twice counts once", async () => {
    const driver = await directoryDriver();
    const active = await driver.prepare("a");
    const one = await active.mount();
    const two = await active.mount();
    await Promise.all([one.close(), one.close()]);
    await one.close();
    expect(isMounted(two.path)).toBe(true);
    await two.close();
    await two.close();
    expect(isMounted(two.path)).toBe(false);
  });

  test("`await using` closes", async () => {
    const driver = await directoryDriver();
    const active = await driver.prepare("a");
    let path: string;
    {
      await using mount = await active.mount();
      path = mount.path;
      expect(isMounted(path)).toBe(true);
    }
    expect(isMounted(path)).toBe(false);
  });

  test("many at once are as many one after the other", async () => {
    const driver = await directoryDriver();
    const active = await driver.prepare("a");
    const mounts = await Promise.all(Array.from({ length: 20 }, () => active.mount()));
    await Promise.all(mounts.slice(1).map((mount) => mount.close()));
    expect(await active.mountedAt()).toBe(mounts[0]?.path);
    await mounts[0]?.close();
    expect(await active.mountedAt()).toBeUndefined();
    await active.commit("name");
  });

  test("closing the driver closes what it mounted", async () => {
    const driver = await directoryDriver();
    const [a, b] = [await driver.prepare("a"), await driver.view("b")];
    const mounts = [await a.mount(), await b.mount()];
    await driver.close();
    expect(mounts.map(({ path }) => isMounted(path))).toEqual([false, false]);
    for (const mount of mounts) await mount.close();
  });

  test("a mount outlives the driver's directory, and closes all the same", async () => {
    const driver = await directoryDriver();
    const mount = await (await driver.prepare("a")).mount();
    rmSync(driver.root, { recursive: true });
    await mount.close();
  });
});

describe("a mounted snapshot", () => {
  test("is neither committed nor removed", async () => {
    const driver = await directoryDriver();
    const active = await driver.prepare("a");
    const mount = await active.mount();
    await expect(active.commit("name")).rejects.toEqual(code("Busy"));
    await expect(driver.remove("a")).rejects.toEqual(code("Busy"));
    await expect(driver.remove("a")).rejects.toThrow(`mounted by process ${process.pid} at ${mount.path}`);
    await driver.setLabels("a", { still: "works" });
    await mount.close();
    await active.commit("name");
    await driver.remove("name");
  });

  test("with open files stays mounted, and can be closed later", async () => {
    const driver = await directoryDriver();
    const active = await driver.prepare("a");
    const mount = await active.mount();
    const open = join(mount.path, "open-file");
    writeFileSync(open, "");
    await expect(mount.close()).rejects.toEqual(code("Busy"));
    expect(await active.mountedAt()).toBe(mount.path);
    rmSync(open);
    await mount.close();
    expect(isMounted(mount.path)).toBe(false);
  });
});

describe("a persistent mount", () => {
  test("stays when it is closed, until somebody unmounts it", async () => {
    const root = scratch();
    const driver = await directoryDriver({ root });
    const active = await driver.prepare("a");
    const mount = await active.mount({ persistent: true });
    await mount.close();
    await driver.close();
    expect(isMounted(mount.path)).toBe(true);

    const later = await directoryDriver({ root });
    const same = await later.open("a");
    if (same.kind !== "active") throw new Error("not active");
    expect(await same.mountedAt()).toBe(mount.path);
    await expect(same.commit("name")).rejects.toThrow(/mounted persistently/);
    expect(await same.unmount()).toBe(true);
    expect(isMounted(mount.path)).toBe(false);
    expect(await same.unmount()).toBe(false);
    await same.commit("name");
  });

  test("and others do not end each other", async () => {
    const driver = await directoryDriver();
    const active = await driver.prepare("a");
    await active.mount({ persistent: true });
    const mount = await active.mount();
    await mount.close();
    expect(await active.mountedAt()).toBe(mount.path);
    const again = await active.mount();
    expect(await active.unmount()).toBe(true);
    expect(await active.mountedAt()).toBe(mount.path);
    await again.close();
    expect(await active.mountedAt()).toBeUndefined();
  });

  test("with open files needs force", async () => {
    const driver = await directoryDriver();
    const active = await driver.prepare("a");
    const { path } = await active.mount({ persistent: true });
    writeFileSync(join(path, "open-file"), "");
    await expect(active.unmount()).rejects.toEqual(code("Busy"));
    expect(await active.mountedAt()).toBe(path);
    expect(await active.unmount({ force: true })).toBe(true);
    expect(isMounted(path)).toBe(false);
  });

  test("that the host's reboot undid counts no more", async () => {
    const driver = await directoryDriver();
    const active = await driver.prepare("a");
    const { path } = await active.mount({ persistent: true });
    rmSync(path);
    expect(await active.mountedAt()).toBeUndefined();
    expect(await active.unmount()).toBe(false);

    await active.mount({ persistent: true });
    rmSync(path);
    const mount = await active.mount();
    await mount.close();
    expect(isMounted(path)).toBe(false);
    await active.commit("name");
  });
});

describe("processes", () => {
  test("stale lease after kill: the mount of a killed process does not count", async () => {
    const root = scratch();
    const driver = await directoryDriver({ root });
    const active = await driver.prepare("a");
    await using child = new Child({ root, steps: [["mount", "a"], ["hang"]] });
    const path = (await child.next())?.value;
    await child.next();
    expect(await active.mountedAt()).toBe(path);
    await expect(active.commit("name")).rejects.toThrow(`mounted by process ${child.pid}`);
    await child.kill();

    expect(await active.mountedAt()).toBeUndefined();
    expect(isMounted(String(path))).toBe(true);
    await active.commit("name");
    expect(isMounted(String(path))).toBe(false);
  });

  test("a mount survives the end of another process's", async () => {
    const root = scratch();
    const driver = await directoryDriver({ root });
    const active = await driver.prepare("a");
    await using child = new Child({ root, steps: [["mount", "a"], ["hang"]] });
    await child.next();
    const mount = await active.mount();
    await child.kill();
    expect(await active.mountedAt()).toBe(mount.path);
    const again = await active.mount();
    await mount.close();
    expect(isMounted(mount.path)).toBe(true);
    // What the killed process left is gone too.
    const files = readdirSync(dirname(mount.path)).filter((name) => name.startsWith("mount-"));
    expect(files).toEqual([expect.stringContaining(`mount-${process.pid}-`)]);
    await again.close();
    expect(isMounted(mount.path)).toBe(false);
  });

  test("cleanup unmounts what only killed processes had mounted, and nothing else", async () => {
    const root = scratch();
    const driver = await directoryDriver({ root });
    for (const key of ["killed", "living", "persistent"]) await driver.prepare(key);
    await using killed = new Child({ root, steps: [["mount", "killed"], ["hang"]] });
    await using living = new Child({ root, steps: [["mount", "living"], ["hang"]] });
    await using other = new Child({ root, steps: [["mount", "persistent", { persistent: true }]] });
    const paths = [await killed.next(), await living.next(), await other.next()].map((line) =>
      String(line?.value),
    );
    await other.rest();
    await killed.next();
    await killed.kill();
    await driver.cleanup();
    expect(paths.map(isMounted)).toEqual([false, true, true]);
  });

  test("any later process can unmount a persistent mount", async () => {
    const root = scratch();
    const driver = await directoryDriver({ root });
    const active = await driver.prepare("a");
    await using child = new Child({ root, steps: [["mount", "a", { persistent: true }]] });
    const [line] = await child.rest();
    expect(await active.mountedAt()).toBe(line?.value);
    expect(await active.unmount()).toBe(true);
    expect(existsSync(String(line?.value))).toBe(false);
    await driver.remove("a");
    await driver.cleanup();
    expect(litter(driver)).toEqual([]);
  });
});
