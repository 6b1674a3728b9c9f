import { mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createDriver } from "@strata/core";
import { describe, expect, test } from "vitest";
import { directoryMechanism } from "./fixtures/directory-mechanism.mjs";
import { committed, directoryDriver, idsOf, litter, scratch } from "./scratch.ts";

const code = (name: string) => expect.objectContaining({ name: "StrataError", code: name });

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
    expect(await idsOf(driver)).toEqual([]);
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
      expect(await idsOf(driver)).toEqual(["base"]);
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

describe("cleanup", () => {
  test("takes the trash away", async () => {
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

  test("finds garbage beside damage that makes up for it in number", async () => {
    const driver = await directoryDriver();
    const at = (...names: string[]) => join(driver.root, ...names);
    const abandon = () => mkdirSync(at("snapshots/garbage/tree"), { recursive: true });
    const pointer = (path: string, directory: string) => symlinkSync(`../snapshots/${directory}`, at(path));
    await committed(driver, "base");

    abandon();
    pointer("keys/lost", "nowhere");
    expect(await driver.cleanup()).toMatchObject({ removed: 1 });
    await driver.remove("lost");

    abandon();
    pointer("keys/again", basename(readlinkSync(at("names/base"))));
    expect(await driver.cleanup()).toMatchObject({ removed: 1 });
    expect(readdirSync(at("keys"))).toEqual([]);

    abandon();
    pointer("names/lost", "nowhere");
    expect(await driver.check()).toEqual([
      { subject: "lost", message: expect.stringContaining("remove it") },
    ]);
    await driver.remove("lost");
    expect(await driver.cleanup()).toMatchObject({ removed: 1 });
    expect(litter(driver)).toEqual([]);
  });

  test("goes on when one cannot be destroyed, and says so", async () => {
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
});
