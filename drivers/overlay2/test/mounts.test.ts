import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  AT_FDCWD,
  close,
  fsconfigCreate,
  fsmount,
  fsopen,
  MOUNT_ATTR_RDONLY,
  type MountAttributes,
  MS_SHARED,
  mountSetattr,
  moveMount,
  umount2,
} from "@strata/linux";
import { expect, it } from "vitest";
import { describeAsRoot, layer, mountAt, useScratch } from "./support.ts";

const scratch = useScratch();

/** Mount a file system, for tests of what lies below a driver's root. */
function mountTmpfs(path: string, attributes: MountAttributes): void {
  mkdirSync(path, { recursive: true });
  const context = fsopen("tmpfs");
  fsconfigCreate(context);
  const mount = fsmount(context);
  close(context);
  moveMount(mount, AT_FDCWD, path);
  mountSetattr(mount, attributes);
  close(mount);
}

describeAsRoot("views", () => {
  it.each([0, 1, 2, 3])("of %i layers cannot be mounted writable either", async (layers) => {
    const driver = await scratch.open();
    let parent: string | undefined;
    for (let n = 1; n <= layers; n++) {
      await layer(driver, `layer-${n}`, parent, (dir) => writeFileSync(`${dir}/file-${n}`, `${n}`));
      parent = `layer-${n}`;
    }
    const view = await driver.view("view", parent);
    const mount = await view.mount();
    expect(readdirSync(mount.path)).toEqual(Array.from({ length: layers }, (_, n) => `file-${n + 1}`));
    expect(() => execFileSync("mount", ["-o", "remount,rw", mount.path], { stdio: "pipe" })).toThrow();
    expect(() => writeFileSync(`${mount.path}/new`, "")).toThrow(expect.objectContaining({ code: "EROFS" }));
    expect(readdirSync(view.layout().dir)).toEqual([]);
    await mount.close();
  });
});

describeAsRoot("mounts", () => {
  it("are private below a shared mount", async () => {
    const shared = join(scratch.path, "shared");
    mountTmpfs(shared, { propagation: MS_SHARED });
    try {
      const driver = await scratch.open({ root: join(shared, "root") });
      const mount = await (await driver.prepare("active")).mount();
      expect(mountAt(shared)?.optionalFields).toEqual([expect.stringMatching(/^shared:/)]);
      expect(mountAt(mount.path)?.optionalFields).toEqual([]);
      await driver.close();
    } finally {
      umount2(shared);
    }
  });

  it("that the kernel refuses say why, in its own words, and leave nothing", async () => {
    const driver = await scratch.open();
    const active = await driver.prepare("active");
    const { dir } = active.layout();
    mountTmpfs(dir, { set: MOUNT_ATTR_RDONLY });
    try {
      await expect(active.mount()).rejects.toMatchObject({
        code: "Unsupported",
        message: expect.stringMatching(
          /^the kernel refuses an overlay with .*diff on top: overlay: filesystem on .*diff is read-only$/,
        ),
        cause: { code: "EINVAL", syscall: "fsconfig" },
      });
      expect(await active.mountedAt()).toBeUndefined();
    } finally {
      umount2(dir);
    }
    const mount = await active.mount();
    await mount.close();
  });

  it("of a damaged chain name what is gone, and so does check", async () => {
    const driver = await scratch.open();
    await layer(driver, "base", undefined, () => {});
    const active = await driver.prepare("active", "base");
    const layout = active.layout();
    const lower = layout.format === "overlay" ? (layout.lowers[0] ?? "") : "";
    rmSync(lower, { recursive: true });
    await expect(active.mount()).rejects.toMatchObject({
      code: "Corrupt",
      message: expect.stringContaining(lower),
    });
    expect(await driver.check()).toEqual([
      { subject: lower, message: expect.stringContaining("directory is gone") },
    ]);
  });
});

describeAsRoot("durability none", () => {
  // Later kernels spell it fsync=volatile.
  const volatile = /,(fsync=)?volatile(,|$)/;

  it("mounts volatile, and again, and then durably", async () => {
    const careless = await scratch.open({ durability: "none" });
    const active = await careless.prepare("active");
    for (const round of ["first", "second"]) {
      const mount = await active.mount();
      expect(mountAt(mount.path)?.superOptions).toMatch(volatile);
      writeFileSync(`${mount.path}/${round}`, "");
      await mount.close();
    }
    const careful = await scratch.open({ durability: "commit" });
    const again = await careful.open("active");
    if (again.kind !== "active") throw new Error("not active");
    const mount = await again.mount();
    expect(mountAt(mount.path)?.superOptions).not.toMatch(volatile);
    expect(readdirSync(mount.path)).toEqual(["first", "second"]);
    await mount.close();
  });
});

describeAsRoot("a commit", () => {
  it("leaves the layer's directory only, and a failed one leaves the snapshot as it was", async () => {
    const driver = await scratch.open();
    const active = await driver.prepare("active");
    const { dir } = active.layout();
    const before = readdirSync(join(dir, ".."));
    await (await active.mount()).close();
    await expect(active.commit("name", { parent: "nothing" })).rejects.toMatchObject({ code: "NotFound" });
    const mount = await active.mount();
    writeFileSync(`${mount.path}/file`, "kept");
    await mount.close();
    await active.commit("name");
    expect(readdirSync(join(dir, ".."))).toEqual(expect.arrayContaining(["diff"]));
    for (const name of ["work", "merged", "empty"]) expect(existsSync(join(dir, "..", name))).toBe(false);
    expect(before).toContain("diff");
    expect(readFileSync(`${dir}/file`, "utf8")).toBe("kept");
  });
});

it("removes trees that were mounted, with all that overlayfs made", async () => {
  if (process.geteuid?.() !== 0) return;
  const driver = await scratch.open();
  const active = await driver.prepare("active");
  const mount = await active.mount();
  writeFileSync(`${mount.path}/file`, "");
  await mount.close();
  await driver.remove("active");
  expect(await driver.cleanup()).toMatchObject({ removed: 1 });
  expect(readdirSync(`${driver.root}/trash`)).toEqual([]);
  expect(readdirSync(`${driver.root}/snapshots`)).toEqual([]);
});
