import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { missingFacilities, mountsBelow, Scratch } from "@strata/conformance/suite";
import { errnoCode, type StorageDriver, toStrataError } from "@strata/core";
import { btrfs } from "@strata/driver-btrfs";
import {
  BTRFS_QGROUP_INFO,
  BTRFS_QUOTA_TREE,
  btrfsQuotaDisable,
  btrfsSetSubvolReadonly,
  btrfsSubvolCreate,
  btrfsTreeSearch,
  umount2,
} from "@strata/linux";
import { describe, expect, it } from "vitest";
import { subvolumeExists } from "../src/quota.ts";
import { Subvolume } from "../src/subvolume.ts";
import { describeOnBtrfs } from "./btrfs-on-loop.ts";

const MiB = 2 ** 20;

function nest(tree: string, name: string): string {
  using parent = Subvolume.open(tree);
  btrfsSubvolCreate(parent.fd, name);
  return join(tree, name);
}

function setReadonly(tree: string, readonly: boolean): void {
  using subvolume = Subvolume.open(tree);
  btrfsSetSubvolReadonly(subvolume.fd, readonly);
}

function idOf(tree: string): bigint {
  using subvolume = Subvolume.open(tree);
  return subvolume.info.id;
}

async function commit(driver: StorageDriver, name: string, parent?: string, text = name): Promise<string> {
  const active = await driver.prepare("making", parent);
  const { dir } = active.layout();
  writeFileSync(join(dir, name), text);
  await active.commit(name);
  return dir;
}

describe("another file system", () => {
  it.skipIf(missingFacilities(["root"]).length > 0)("is refused by its name, with what to do", async () => {
    await using scratch = new Scratch("/dev/shm");
    await expect(btrfs({ root: scratch.join("root") })).rejects.toMatchObject({
      code: "Unsupported",
      message: expect.stringMatching(
        /it is on tmpfs; mount a btrfs there \(`mkfs.btrfs` .* or choose overlay2/,
      ),
    });
  });
});

describeOnBtrfs("the driver", (disk) => {
  const open = (root = disk.scratch()) => btrfs({ root, durability: "none" });
  /** Whatever subvolumes the file system has. */
  function subvolumes(): number {
    using top = Subvolume.open(disk.path);
    return [...top.trees()].length - 1;
  }

  it("leaves nothing of having been tried out, nor of a trial that was killed", async () => {
    const root = disk.scratch();
    const before = subvolumes();
    mkdirSync(join(root, "probe"));
    setReadonly(nest(join(root, "probe"), "tree"), true);
    await open(root);
    expect(existsSync(join(root, "probe"))).toBe(false);
    expect(subvolumes()).toBe(before);
  });

  it("keeps what is committed from being changed, by root too", async () => {
    const driver = await open();
    const tree = await commit(driver, "base");
    expect(() => writeFileSync(join(tree, "base"), "")).toThrow(/EROFS/);
    expect(await driver.check()).toEqual([]);
    setReadonly(tree, false);
    expect(await driver.check()).toEqual([
      { subject: tree, message: expect.stringContaining("somebody has made the tree writable") },
    ]);
  });

  it("goes on with an active whose commit failed after the tree was sealed", async () => {
    const driver = await open();
    await commit(driver, "base");
    const active = await driver.prepare("work", "base");
    const { dir } = active.layout();
    // What a commit that fails late, or is killed, leaves behind.
    setReadonly(dir, true);
    const mount = await active.mount();
    expect(mount.path).toBe(dir);
    writeFileSync(join(dir, "more"), "");
    await mount.close();
    await active.commit("second");
    expect(() => writeFileSync(join(dir, "more"), "x")).toThrow(/EROFS/);
  });

  it("does not commit a tree with a subvolume in it, and says which", async () => {
    const driver = await open();
    const active = await driver.prepare("work");
    const { dir } = active.layout();
    mkdirSync(join(dir, "var/lib"), { recursive: true });
    const nested = nest(join(dir, "var/lib"), "machines");
    await expect(active.commit("name")).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: expect.stringMatching(/"\/var\/lib\/machines" is a subvolume.*commit again/),
    });
    writeFileSync(join(nested, "still-writable"), "");
    writeFileSync(join(dir, "still-writable"), "");
    rmSync(nested, { recursive: true });
    await active.commit("name");
  });

  it("destroys subvolumes in a tree, in one another and read-only ones too", async () => {
    const driver = await open();
    const before = subvolumes();
    const active = await driver.prepare("work");
    const { dir } = active.layout();
    mkdirSync(join(dir, "way"));
    const outer = nest(join(dir, "way"), "outer");
    mkdirSync(join(outer, "inside"));
    const inner = nest(join(outer, "inside"), "inner");
    nest(inner, "innermost");
    writeFileSync(join(inner, "file"), "x".repeat(MiB));
    setReadonly(inner, true);
    setReadonly(outer, true);
    nest(dir, "another");
    expect(subvolumes()).toBe(before + 5);
    expect((await driver.usage("work")).bytes).toBeGreaterThanOrEqual(MiB);
    await driver.remove("work");
    const report = await driver.cleanup();
    expect(report.removed).toBe(1);
    expect(report.bytes).toBeGreaterThanOrEqual(MiB);
    expect(subvolumes()).toBe(before);
  });

  it("leaves alone what is mounted over a subvolume in a tree", async () => {
    const driver = await open();
    const before = subvolumes();
    const other = nest(disk.scratch(), "other");
    writeFileSync(join(other, "file"), "precious");
    const active = await driver.prepare("work");
    const nested = nest(active.layout().dir, "nested");
    execFileSync("mount", ["--bind", other, nested]);
    await driver.remove("work");
    await expect(driver.cleanup()).rejects.toMatchObject({
      code: "Busy",
      message: expect.stringMatching(/mounted at or above "\/nested"/),
    });
    expect(readFileSync(join(other, "file"), "utf8")).toBe("precious");

    const [mountPoint = Buffer.alloc(0)] = mountsBelow(driver.root);
    umount2(mountPoint, 0);
    expect((await driver.cleanup()).removed).toBe(1);
    expect(readFileSync(join(other, "file"), "utf8")).toBe("precious");
    expect(subvolumes()).toBe(before + 1);
  });

  it("finds what a killed process left, at whichever moment", async () => {
    const root = disk.scratch();
    const driver = await open(root);
    await commit(driver, "base");
    const before = subvolumes();
    const script = `
      const { btrfs } = await import("@strata/driver-btrfs");
      const { btrfsSubvolCreate } = await import("@strata/linux");
      const { openSync, closeSync, writeFileSync } = await import("node:fs");
      const driver = await btrfs({ root: ${JSON.stringify(root)}, durability: "none" });
      process.stdout.write("open");
      for (let n = 0; ; n += 1) {
        const active = await driver.prepare(process.pid + "-" + n, "base");
        const { dir } = active.layout();
        writeFileSync(dir + "/file", "x".repeat(10000));
        const fd = openSync(dir);
        if (n % 3 === 0) btrfsSubvolCreate(fd, "nested");
        closeSync(fd);
        if (n % 3 === 1) await active.commit(process.pid + "-name-" + n);
        await driver.view(process.pid + "-view-" + n, "base");
        for (const id of [n % 3 === 1 ? "-name-" : "-", "-view-"]) await driver.remove(process.pid + id + n);
        if (n % 2 === 0) await driver.cleanup();
      }`;
    for (let kills = 0; kills < 15; kills += 1) {
      const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
        cwd: import.meta.dirname,
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      await setTimeout(kills * 7);
      child.kill("SIGKILL");
      await once(child, "exit");
      await driver.cleanup();
      const keys: string[] = [];
      for await (const { id, kind } of driver.list())
        if (kind !== "committed" || id !== "base") keys.push(id);
      for (const key of keys) await driver.remove(key);
      await driver.cleanup();
      expect(subvolumes(), `after kill ${kills}`).toBe(before);
      expect(await driver.check()).toEqual([]);
    }
  });

  it("counts what a snapshot alone holds, be the file as big as it may", async () => {
    const driver = await open();
    const base = await commit(driver, "base", undefined, "x".repeat(8 * MiB));
    const whole = await driver.usage("base");
    expect(whole.inodes).toBe(2);
    expect(Math.abs(whole.bytes - 8 * MiB)).toBeLessThan(MiB);
    expect(statSync(join(base, "base")).size).toBe(8 * MiB);

    const child = await driver.prepare("child", "base");
    expect(await driver.usage("child")).toEqual({ bytes: 0, inodes: 0 });
    appendFileSync(join(child.layout().dir, "base"), "y".repeat(4096));
    writeFileSync(join(child.layout().dir, "small"), "small");
    // The file, the small file, and the directory.
    expect(await driver.usage("child")).toEqual({ bytes: 8192, inodes: 3 });
    expect(await driver.usage("base")).toEqual(whole);
  });
});

describeOnBtrfs("quotas", (disk) => {
  const open = (enableQuota: boolean) => btrfs({ root: disk.scratch(), durability: "none", enableQuota });
  function counted(): bigint[] {
    using top = Subvolume.open(disk.path);
    const types = [BTRFS_QGROUP_INFO, BTRFS_QGROUP_INFO] as const;
    return [...btrfsTreeSearch(top.fd, { tree: BTRFS_QUOTA_TREE, types })].map(({ offset }) => offset);
  }

  it("are not turned on unasked, and refused while they are off, with what to do", async () => {
    const driver = await open(false);
    const { quotaBytes } = driver.capabilities;
    expect(quotaBytes.supported).toBe(false);
    expect(quotaBytes.reason).toMatch(/btrfs quota enable --simple/);
    const refused = driver.prepare("key", undefined, { quota: { bytes: MiB } });
    await expect(refused).rejects.toMatchObject({ code: "Unsupported" });
  });

  it("of bytes are enforced, for what the snapshot writes itself", async () => {
    const driver = await open(true);
    expect(driver.capabilities.quotaBytes.supported).toBe(true);
    expect((await btrfs({ root: disk.scratch() })).capabilities.quotaBytes.supported).toBe(true);
    await commit(driver, "base", undefined, "x".repeat(10 * MiB));
    const active = await driver.prepare("key", "base", { quota: { bytes: 4 * MiB } });
    const { dir } = active.layout();
    writeFileSync(join(dir, "fits"), Buffer.alloc(2 * MiB, 1));
    let failure: unknown;
    try {
      writeFileSync(join(dir, "too-much"), Buffer.alloc(4 * MiB, 1));
    } catch (error) {
      failure = error;
    }
    expect(errnoCode(failure)).toBe("EDQUOT");
    expect(toStrataError(failure, "write")).toMatchObject({ code: "NoSpace" });
    // Another is not limited by it.
    const other = await driver.prepare("other", "base");
    writeFileSync(join(other.layout().dir, "much"), Buffer.alloc(8 * MiB, 1));
    const inodes = driver.prepare("third", "base", { quota: { inodes: 10 } });
    await expect(inodes).rejects.toMatchObject({ code: "Unsupported" });
  });

  it("leave no counts behind, in whichever order snapshots go", async () => {
    const driver = await open(true);
    const ids: bigint[] = [];
    for (const round of [1, 2, 3]) {
      const names = [1, 2, 3, 4].map((n) => `${round}-${n}`);
      for (const [n, name] of names.entries()) {
        ids.push(idOf(await commit(driver, name, names[n - 1], "x".repeat(MiB))));
      }
      expect(counted()).toEqual(expect.arrayContaining(ids.slice(-4)));
      for (const name of names.toReversed()) await driver.remove(name);
      await driver.cleanup();
    }
    using top = Subvolume.open(disk.path);
    expect(ids.filter((id) => subvolumeExists(top.fd, id))).toEqual([]);
    expect(counted().filter((id) => ids.includes(id))).toEqual([]);
  });

  it("that were turned off again are refused by a driver that is opened then", async () => {
    using top = Subvolume.open(disk.path);
    btrfsQuotaDisable(top.fd);
    expect((await open(false)).capabilities.quotaBytes.supported).toBe(false);
  });
});
