import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type ActiveSnapshot, isStrataError, type StorageDriver } from "@strata/core";
import { vfs } from "@strata/driver-vfs";
import { AT_FDCWD, setxattrat } from "@strata/linux";
import { describe, expect, test } from "vitest";
import { describeTree, fillWithEverything } from "./fixtures/trees.mjs";
import { asOrdinaryUser, runsAsRoot, scratch } from "./scratch.ts";

const open = (root = scratch()) => vfs({ root, durability: "none" });

async function base(driver: StorageDriver, fill: (tree: string) => void): Promise<string> {
  const active = await driver.prepare("making");
  fill(active.layout().dir);
  await active.commit("base");
  return active.layout().dir;
}

describe("a child equals its parent", () => {
  test("with everything that a tree can hold", async () => {
    const driver = await open();
    const parent = await base(driver, fillWithEverything);
    const before = describeTree(parent);
    expect(Object.keys(before).length).toBeGreaterThanOrEqual(35);

    const child = await driver.prepare("child", "base");
    expect(describeTree(child.layout().dir)).toEqual(before);
    // And it was not the copy that changed the parent.
    expect(describeTree(parent)).toEqual(before);
    await child.commit("second");
    const grandchild = await driver.prepare("grandchild", "second");
    expect(describeTree(grandchild.layout().dir)).toEqual(before);
    expect(await driver.usage("grandchild")).toEqual(await driver.usage("base"));
  });

  test("as an ordinary user, with what that user can make, closed to him or not", async () => {
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

  test.runIf(runsAsRoot)("as an ordinary user, who cannot keep another's files another's", async () => {
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

  test("with the modules of this checkout", async () => {
    const driver = await open();
    const modules = join(import.meta.dirname, "../../../node_modules/vitest");
    const parent = await base(driver, (tree) =>
      cpSync(modules, tree, { recursive: true, preserveTimestamps: true }),
    );
    const child = await driver.prepare("child", "base");
    expect(describeTree(child.layout().dir)).toEqual(describeTree(parent));
  });

  test("with a directory of 10,000 entries", async () => {
    const driver = await open();
    const parent = await base(driver, (tree) => {
      // Links are much faster made than files.
      for (let n = 0; n < 10; n++) writeFileSync(join(tree, `file-${n}`), `${n}`);
      for (let n = 0; n < 10_000; n++) linkSync(join(tree, `file-${n % 10}`), join(tree, `${n}`));
    });
    const child = await driver.prepare("child", "base");
    expect(describeTree(child.layout().dir)).toEqual(describeTree(parent));
  });

  test("through 40 layers, each with its own change", async () => {
    const driver = await open();
    let parent: string | undefined;
    for (let layer = 0; layer < 40; layer++) {
      const active: ActiveSnapshot = await driver.prepare("making", parent);
      writeFileSync(join(active.layout().dir, `of-${layer}`), `${layer}`);
      parent = (await active.commit(`layer-${layer}`)).id;
    }
    const top = await driver.prepare("top", parent);
    for (let layer = 0; layer < 40; layer++) {
      expect(readFileSync(join(top.layout().dir, `of-${layer}`), "utf8")).toBe(`${layer}`);
    }
    expect(driver.capabilities.maxDepth).toBe(500);
  });

  test("sparse files stay sparse", async () => {
    const driver = await open();
    const parent = await base(driver, (tree) => execFileSync("truncate", ["-s", "1T", join(tree, "hole")]));
    const child = await driver.prepare("child", "base");
    const copy = statSync(join(child.layout().dir, "hole"));
    expect(copy.size).toBe(2 ** 40);
    expect(copy.blocks).toBe(statSync(join(parent, "hole")).blocks);
  });

  test("and neither sees the other's changes", async () => {
    const driver = await open();
    const parent = await base(driver, (tree) => writeFileSync(join(tree, "file"), "base"));
    const [one, two] = [await driver.prepare("one", "base"), await driver.prepare("two", "base")];
    writeFileSync(join(one.layout().dir, "file"), "changed");
    expect(readFileSync(join(two.layout().dir, "file"), "utf8")).toBe("base");
    expect(readFileSync(join(parent, "file"), "utf8")).toBe("base");
  });
});

describe("an empty tree", () => {
  test("has mode 0755, whatever the umask", async () => {
    const umask = process.umask(0o077);
    try {
      const driver = await open();
      const active = await driver.prepare("a");
      expect(statSync(active.layout().dir).mode & 0o7777).toBe(0o755);
      expect(statSync(driver.root).mode & 0o7777).toBe(0o700);
    } finally {
      process.umask(umask);
    }
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
    await expect(child.commit("c")).rejects.toMatchObject({ code: "Busy" });
    await mount.close();
    expect(await child.mountedAt()).toBeUndefined();
    await child.commit("c");
    expect((await driver.open("base")).layout()).toEqual({ format: "plain", dir: parent });
  });

  test("it cannot be committed on top of another", async () => {
    const driver = await open();
    await base(driver, () => {});
    const active = await driver.prepare("a");
    await expect(active.commit("c", { parent: "base" })).rejects.toMatchObject({ code: "Unsupported" });
    await expect(driver.prepare("b", "base", { quota: { bytes: 1 } })).rejects.toMatchObject({
      code: "Unsupported",
    });
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
  test.runIf(runsAsRoot)("is really read-only, for root too, and is no copy", async () => {
    const driver = await open();
    expect(driver.capabilities.readonlyViews.supported).toBe(true);
    const parent = await base(driver, fillWithEverything);
    const before = describeTree(parent);
    const view = await driver.view("view", "base");
    await using mount = await view.mount();
    expect(describeTree(mount.path)).toEqual(before);
    for (const write of [
      () => writeFileSync(join(mount.path, "new"), ""),
      () => writeFileSync(join(mount.path, "file"), "changed"),
      () => chmodSync(join(mount.path, "file"), 0o777),
      () => mkdirSync(join(mount.path, "dir/new")),
    ]) {
      expect(write).toThrow(expect.objectContaining({ code: "EROFS" }));
    }
    expect(describeTree(parent)).toEqual(before);
    expect(await driver.usage("view")).toEqual({ bytes: 0, inodes: 0 });
    expect(view.layout()).toEqual({ format: "plain", dir: parent, base: parent });
    await expect(driver.remove("base")).rejects.toMatchObject({ code: "FailedPrecondition" });
  });

  test.runIf(runsAsRoot)("of nothing is read-only too", async () => {
    const driver = await open();
    const view = await driver.view("view");
    await using mount = await view.mount();
    expect(() => writeFileSync(join(mount.path, "new"), "")).toThrow(
      expect.objectContaining({ code: "EROFS" }),
    );
  });

  test.runIf(runsAsRoot)("with open files is Busy, until it is forced", async () => {
    const driver = await open();
    await base(driver, (tree) => writeFileSync(join(tree, "file"), ""));
    const view = await driver.view("view", "base");
    const { path } = await view.mount({ persistent: true });
    const holder = await import("node:fs/promises").then(({ open }) => open(join(path, "file")));
    try {
      await expect(view.unmount()).rejects.toMatchObject({ code: "Busy" });
      await expect(driver.remove("view")).rejects.toMatchObject({ code: "Busy" });
      expect(await view.mountedAt()).toBe(path);
      expect(await view.unmount({ force: true })).toBe(true);
      expect(existsSync(join(path, "file"))).toBe(false);
    } finally {
      await holder.close();
    }
    await driver.remove("view");
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(driver.root);
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

describe("other file systems", () => {
  const mounted = async (make: string[], use: (root: string) => Promise<void>) => {
    const directory = scratch();
    const image = join(directory, "image");
    const at = join(directory, "at");
    mkdirSync(at);
    execFileSync("truncate", ["-s", "400M", image]);
    if (make.length > 0) {
      execFileSync(make[0] ?? "", [...make.slice(1), image], { stdio: "pipe" });
      execFileSync("mount", ["-o", "loop", image, at]);
    } else {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=400M", "tmpfs", at]);
    }
    try {
      await use(join(at, "root"));
    } finally {
      execFileSync("umount", [at]);
    }
  };
  const has = (command: string) => {
    const found = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"].some((path) => existsSync(join(path, command)));
    if (!found && process.env["CI"]) throw new Error(`${command} is missing`);
    if (!found) console.log(`skipped: ${command} is not installed`);
    return found;
  };

  test.runIf(runsAsRoot && has("mkfs.xfs") && has("mkfs.btrfs")).each([
    { name: "xfs", make: ["mkfs.xfs", "-q"] },
    { name: "btrfs", make: ["mkfs.btrfs", "-q"] },
  ])("$name: the copy shares blocks", async ({ make }) => {
    await mounted(make, async (root) => {
      const driver = await open(root);
      expect(driver.capabilities.sharesParent.reason).toContain("blocks of files are shared");
      // Three copies would not fit, of the big file or of the small ones.
      const parent = await base(driver, (tree) => {
        writeFileSync(join(tree, "big"), Buffer.alloc(9_000_000, "x"));
        for (let n = 0; n < 2000; n++) writeFileSync(join(tree, `${n}`), Buffer.alloc(60_000, "x"));
      });
      let child: ActiveSnapshot | undefined;
      for (const key of ["a", "b", "c"]) child = await driver.prepare(key, "base");
      expect(describeTree(child?.layout().dir ?? "")).toEqual(describeTree(parent));
      await driver.close();
    });
  });

  test.runIf(runsAsRoot).each([
    { name: "tmpfs", make: [] },
    { name: "ext4", make: ["mkfs.ext4", "-q", "-b", "4096"] },
    { name: "btrfs", make: ["mkfs.btrfs", "-q"] },
  ])("$name: everything is kept", async ({ make }) => {
    await mounted(make, async (root) => {
      const driver = await open(root);
      const parent = await base(driver, fillWithEverything);
      const child = await driver.prepare("child", "base");
      expect(describeTree(child.layout().dir)).toEqual(describeTree(parent));
      await driver.close();
    });
  });

  test.runIf(runsAsRoot)("a full disk is NoSpace, and leaves nothing", async () => {
    await mounted(["mkfs.ext4", "-q", "-b", "4096"], async (root) => {
      const driver = await open(root);
      await base(driver, (tree) => writeFileSync(join(tree, "big"), Buffer.alloc(200_000_000, "x")));
      const error = await driver.prepare("child", "base").catch((caught: unknown) => caught);
      expect(isStrataError(error, "NoSpace")).toBe(true);
      expect(await driver.cleanup()).toEqual({ removed: 0, bytes: 0 });
      await driver.close();
    });
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
