import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { AT_FDCWD, setxattrat } from "@strata/linux";
import { describe, expect, test } from "vitest";
import { base, open } from "./base-layer.ts";
import { describeTree, fillWithEverything } from "./fixtures/trees.mjs";
import { asOrdinaryUser, runsAsRoot } from "./scratch.ts";

describe("a child equals its parent, made by an ordinary user", () => {
  test("with what that user can make, closed to him or not", async () => {
    const output = await asOrdinaryUser(`
      const { chmodSync, mkdirSync, writeFileSync } = await import("node:fs");
      const { vfs } = await import("@strata/driver-vfs");
      const { describeTree, fillWithEverything } = await import("./fixtures/trees.mjs");
      const driver = await vfs({ root });
      const active = await driver.prepare("making");
      const tree = active.layout().dir;
      fillWithEverything(tree);
      // So big that its copy is interrupted by others.
      chmodSync(tree, 0o700);
      mkdirSync(tree + "/slow");
      writeFileSync(tree + "/slow/big", Buffer.alloc(80_000_000, 1));
      chmodSync(tree + "/slow", 0);
      chmodSync(tree, 0o510);
      await active.commit("base");
      const before = describeTree(active.layout().dir);
      // Several at once, for they open what is closed.
      const children = await Promise.all(["a", "b", "c"].map((key) => driver.prepare(key, "base")));
      const trees = [active, ...children].map((child) => describeTree(child.layout().dir));
      for (const key of ["a", "b", "c"]) await driver.remove(key);
      await driver.remove("base");
      const { removed } = await driver.cleanup();
      const { ownership, readonlyViews } = driver.capabilities;
      console.log(JSON.stringify({ before, trees, removed, ownership, readonlyViews }));
    `);
    const { before, trees, removed, ownership, readonlyViews } = JSON.parse(output);
    expect(Object.keys(before).length).toBeGreaterThanOrEqual(35);
    expect(before["closed/one"]).toMatchObject({ size: 6 });
    for (const tree of trees) expect(tree).toEqual(before);
    expect(removed).toBe(4);
    expect(ownership).toEqual({ supported: false, reason: expect.stringContaining("needs root") });
    expect(readonlyViews).toEqual({ supported: false, reason: expect.stringContaining("needs root") });
  });

  test.runIf(runsAsRoot)("who cannot keep another's files another's", async () => {
    const output = await asOrdinaryUser(
      `
      const { vfs } = await import("@strata/driver-vfs");
      const { describeTree } = await import("./fixtures/trees.mjs");
      const child = await (await vfs({ root })).prepare("child", "base");
      console.log(JSON.stringify(describeTree(child.layout().dir)));
      `,
      async (root) => {
        const driver = await open(root);
        const tree = await base(driver, (directory) => writeFileSync(join(directory, "file"), "root's"));
        execFileSync("chown", ["-R", "65534:65534", root]);
        chownSync(join(tree, "file"), 0, 0);
        const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
        setxattrat(AT_FDCWD, join(tree, "file"), "security.capability", capability);
      },
    );
    expect(JSON.parse(output)).toMatchObject({ file: { uid: 65534, gid: 65534, size: 6, xattrs: {} } });
  });
});

describe("layout and mount", () => {
  test("the layout is plain, and the mount of an active is its directory", async () => {
    const driver = await open();
    const parent = await base(driver, () => {});
    const child = await driver.prepare("child", "base");
    const layout = child.layout();
    expect(layout).toEqual({
      format: "plain",
      dir: expect.any(String),
      base: parent,
      touched: expect.any(Function),
    });
    const mount = await child.mount();
    expect(mount.path).toBe(layout.dir);
    expect(await child.mountedAt()).toBe(layout.dir);
    await mount.close();
    expect((await driver.open("base")).layout()).toEqual({ format: "plain", dir: parent });
  });

  test("check finds a tree that is gone", async () => {
    const driver = await open();
    const tree = await base(driver, () => {});
    expect(await driver.check()).toEqual([]);
    execFileSync("rmdir", [tree]);
    expect(await driver.check()).toEqual([{ subject: tree, message: expect.stringContaining("gone") }]);
  });
});

describe("a view", () => {
  test.runIf(runsAsRoot)("is no copy", async () => {
    const driver = await open();
    const parent = await base(driver, fillWithEverything);
    const view = await driver.view("view", "base");
    await using mount = await view.mount();
    expect(describeTree(mount.path)).toEqual(describeTree(parent));
    expect(await driver.usage("view")).toEqual({ bytes: 0, inodes: 0 });
    expect(view.layout()).toEqual({ format: "plain", dir: parent, base: parent });
  });

  test("of an ordinary user is a copy, so that the parent cannot change through it", async () => {
    const output = await asOrdinaryUser(`
      const { readFileSync, writeFileSync } = await import("node:fs");
      const { vfs } = await import("@strata/driver-vfs");
      const driver = await vfs({ root });
      const active = await driver.prepare("making");
      writeFileSync(active.layout().dir + "/file", "base");
      await active.commit("base");
      const view = await driver.view("view", "base");
      const mount = await view.mount();
      writeFileSync(mount.path + "/file", "changed");
      await mount.close();
      console.log(readFileSync(active.layout().dir + "/file", "utf8"));
    `);
    expect(output).toBe("base\n");
  });
});

describe("an abort in the middle of a copy", () => {
  test("leaves nothing, and the event loop goes on", async () => {
    const driver = await open();
    await base(driver, (tree) => {
      for (let n = 0; n < 60; n++) writeFileSync(join(tree, `${n}`), Buffer.alloc(4_000_000, "x"));
    });
    const reason = new Error("no longer wanted");
    const abort = new AbortController();
    let turns = 0;
    const timer = setInterval(() => turns++ === 1 && abort.abort(reason), 1);
    await expect(driver.prepare("child", "base", { signal: abort.signal })).rejects.toBe(reason);
    clearInterval(timer);
    expect(await driver.cleanup()).toEqual({ removed: 0, bytes: 0 });
    const keys = [];
    for await (const { id } of driver.list()) keys.push(id);
    expect(keys).toEqual(["base"]);
    await setTimeout(0);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(driver.root);
  });

  test("in the middle of a big file", async () => {
    const driver = await open();
    await base(driver, (tree) => writeFileSync(join(tree, "big"), Buffer.alloc(200_000_000, 1)));
    const abort = new AbortController();
    const timer = setInterval(() => abort.abort(), 1);
    const outcome = await driver.prepare("child", "base", { signal: abort.signal }).then(
      () => "copied",
      (error: unknown) => (error === abort.signal.reason ? "aborted" : error),
    );
    clearInterval(timer);
    expect(outcome).toBe("aborted");
  });
});

test.runIf(runsAsRoot)("something mounted inside a parent is not copied", async () => {
  const driver = await open();
  const parent = await base(driver, (tree) => mkdirSync(join(tree, "proc")));
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", join(parent, "proc")]);
  try {
    await expect(driver.prepare("child", "base")).rejects.toMatchObject({
      code: "Busy",
      message: expect.stringContaining('"proc"'),
    });
  } finally {
    execFileSync("umount", [join(parent, "proc")]);
  }
  await driver.prepare("child", "base");
});
