import { lstatSync, readdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { Child } from "./child.ts";
import { directoryDriver, scratch } from "./scratch.ts";

const code = (name: string) => expect.objectContaining({ name: "StrataError", code: name });
const isMounted = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

describe("a mount", () => {
  test("outlives the driver's directory, and closes all the same", async () => {
    const driver = await directoryDriver();
    const mount = await (await driver.prepare("a")).mount();
    rmSync(driver.root, { recursive: true });
    await mount.close();
  });

  test("names who holds it", async () => {
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
});

describe("a persistent mount", () => {
  test("is named where it is in the way", async () => {
    const driver = await directoryDriver();
    const active = await driver.prepare("a");
    await active.mount({ persistent: true });
    await expect(active.commit("name")).rejects.toThrow(/mounted persistently/);
    await active.unmount();
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
});
