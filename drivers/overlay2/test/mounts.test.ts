import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
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
import { describeAsRoot, layer, mountAt, mountsBelow, useScratch } from "./support.ts";

const scratch = useScratch();
const holder = fileURLToPath(new URL("mount-in-another-process.js", import.meta.url));

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
  it.each([0, 1, 2, 3])("of %i layers refuse every write, by root too", async (layers) => {
    const driver = await scratch.open();
    let parent: string | undefined;
    for (let n = 1; n <= layers; n++) {
      await layer(driver, `layer-${n}`, parent, (dir) => writeFileSync(`${dir}/file-${n}`, `${n}`));
      parent = `layer-${n}`;
    }
    const view = await driver.view("view", parent);
    const mount = await view.mount();
    expect(readdirSync(mount.path)).toEqual(Array.from({ length: layers }, (_, n) => `file-${n + 1}`));
    const readOnly = expect.objectContaining({ code: "EROFS" });
    expect(() => writeFileSync(`${mount.path}/new`, "")).toThrow(readOnly);
    for (const name of readdirSync(mount.path)) {
      expect(() => writeFileSync(`${mount.path}/${name}`, "")).toThrow(readOnly);
      expect(() => rmSync(`${mount.path}/${name}`)).toThrow(readOnly);
    }
    expect(() => execFileSync("mount", ["-o", "remount,rw", mount.path], { stdio: "pipe" })).toThrow();
    expect(() => writeFileSync(`${mount.path}/new`, "")).toThrow(readOnly);
    expect(readdirSync(view.layout().dir)).toEqual([]);
    await mount.close();
  });
});

describeAsRoot("chains", () => {
  it("of 128 layers show all of them", async () => {
    const driver = await scratch.open({ durability: "none" });
    let parent: string | undefined;
    for (let n = 0; n < 128; n++) {
      await layer(driver, `layer-${n}`, parent, (dir) => {
        writeFileSync(`${dir}/file-${n}`, "");
        writeFileSync(`${dir}/last`, `${n}`);
      });
      parent = `layer-${n}`;
    }
    const active = await driver.prepare("active", parent);
    const mount = await active.mount();
    expect(readdirSync(mount.path)).toHaveLength(129);
    expect(readFileSync(`${mount.path}/last`, "utf8")).toBe("127");
    rmSync(`${mount.path}/file-0`);
    expect(existsSync(`${mount.path}/file-0`)).toBe(false);
    await mount.close();
  });

  it("are as long as overlayfs allows, and no longer", async () => {
    const driver = await scratch.open({ durability: "none" });
    const { maxDepth } = driver.capabilities;
    expect(maxDepth).toBe(501);
    let parent: string | undefined;
    for (let n = 1; n < maxDepth; n++) {
      await layer(driver, `layer-${n}`, parent, (dir) => writeFileSync(`${dir}/file-${n}`, ""));
      parent = `layer-${n}`;
    }
    const view = await driver.view("view", parent);
    const active = await driver.prepare("active", parent);
    for (const snapshot of [view, active]) {
      const mount = await snapshot.mount();
      expect(readdirSync(mount.path)).toHaveLength(500);
      await mount.close();
    }
    await active.commit("full");
    await expect(driver.prepare("too-deep", "full")).rejects.toMatchObject({ code: "DepthExceeded" });
    await expect(driver.view("too-deep", "full")).rejects.toMatchObject({ code: "DepthExceeded" });
  });
});

describeAsRoot("paths", () => {
  it.each(["with:colons,commas and spaces", "ünï-\\backslash\nnewline#名", "long/".repeat(150)])(
    "may be anything: %j",
    async (name) => {
      const root = join(scratch.path, name, "root");
      const driver = await scratch.open({ root });
      await layer(driver, "one", undefined, (dir) => writeFileSync(`${dir}/one`, "1"));
      await layer(driver, "two", "one", (dir) => writeFileSync(`${dir}/two`, "2"));
      const active = await driver.prepare("active", "two");
      const mount = await active.mount();
      expect(mount.path.startsWith(realpathSync(root))).toBe(true);
      expect(readdirSync(mount.path)).toEqual(["one", "two"]);
      writeFileSync(`${mount.path}/three`, "3");
      await mount.close();
      expect(readdirSync(active.layout().dir)).toEqual(["three"]);
    },
  );
});

describeAsRoot("mounts", () => {
  it("are counted: the tree goes with the last one", async () => {
    const driver = await scratch.open();
    const active = await driver.prepare("active");
    expect(await active.mountedAt()).toBeUndefined();
    const first = await active.mount();
    const second = await active.mount();
    expect(second.path).toBe(first.path);
    expect(mountsBelow(driver.root)).toEqual([first.path]);
    await first.close();
    await first.close();
    expect(await active.mountedAt()).toBe(second.path);
    writeFileSync(`${second.path}/file`, "");
    await second.close();
    expect(await active.mountedAt()).toBeUndefined();
  });

  it("outlive their process if they are persistent, and are unmounted by another", async () => {
    const driver = await scratch.open();
    const active = await driver.prepare("active");
    const path = execFileSync(process.execPath, [holder, driver.root, "active", "persistent"]).toString();
    expect(await active.mountedAt()).toBe(path);
    expect(readFileSync(`${path}/from-there`, "utf8")).toBe("hello");
    await expect(active.commit("name")).rejects.toMatchObject({ code: "Busy" });
    expect(await active.unmount()).toBe(true);
    expect(await active.unmount()).toBe(false);
    expect(mountsBelow(driver.root)).toEqual([]);
  });

  it("of a killed process do not count", async () => {
    const driver = await scratch.open();
    const active = await driver.prepare("active");
    const other = spawn(process.execPath, [holder, driver.root, "active"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(other.stdout, "data");
    await expect(driver.remove("active")).rejects.toMatchObject({ code: "Busy" });
    other.kill("SIGKILL");
    await once(other, "exit");
    await active.commit("name");
    expect(mountsBelow(driver.root)).toEqual([]);
  });

  it("stay while files are open in them, unless forced", async () => {
    const driver = await scratch.open();
    const active = await driver.prepare("active");
    const mount = await active.mount({ persistent: true });
    const fd = openSync(`${mount.path}/file`, "w");
    await expect(active.unmount()).rejects.toMatchObject({
      code: "Busy",
      message: expect.stringContaining("is in use"),
    });
    expect(await active.mountedAt()).toBe(mount.path);
    expect(await active.unmount({ force: true })).toBe(true);
    expect(mountsBelow(driver.root)).toEqual([]);
    closeSync(fd);
  });

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

  it("can put a snapshot on top of a parent that it was not prepared on", async () => {
    const driver = await scratch.open();
    expect(driver.capabilities.rebase.supported).toBe(true);
    const top = await driver.prepare("top");
    writeFileSync(`${top.layout().dir}/top`, "");
    await layer(driver, "bottom", undefined, (dir) => writeFileSync(`${dir}/bottom`, ""));
    await top.commit("both", { parent: "bottom" });
    const view = await driver.view("view", "both");
    const mount = await view.mount();
    expect(readdirSync(mount.path)).toEqual(["bottom", "top"]);
    await mount.close();
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
