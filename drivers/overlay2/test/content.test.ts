import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type { StorageDriver } from "@strata/core";
import { AT_FDCWD, getxattrat, S_IFCHR, S_IFMT, setxattrat, statx } from "@strata/linux";
import { beforeEach, expect, it } from "vitest";
import { describeAsRoot, layer, mountAt, useScratch } from "./support.ts";

const scratch = useScratch();

describeAsRoot("what is written into a mount", () => {
  let driver: StorageDriver;

  beforeEach(async () => {
    driver = await scratch.open();
    await layer(driver, "base", undefined, (dir) => {
      writeFileSync(`${dir}/file`, "below");
      linkSync(`${dir}/file`, `${dir}/hardlink`);
      mkdirSync(`${dir}/directory`);
      writeFileSync(`${dir}/directory/child`, "below");
    });
  });

  async function changed(change: (merged: string) => void): Promise<{ dir: string; lower: string }> {
    const active = await driver.prepare("active", "base");
    const mount = await active.mount();
    change(mount.path);
    await mount.close();
    const layout = active.layout();
    expect(layout).toMatchObject({ format: "overlay", lowers: [expect.any(String)] });
    const lower = layout.format === "overlay" ? (layout.lowers[0] ?? "") : "";
    return { dir: layout.dir, lower };
  }

  it("is nothing, as long as nothing is written", async () => {
    const { dir, lower } = await changed((merged) => {
      expect(readFileSync(`${merged}/file`, "utf8")).toBe("below");
      expect(readdirSync(merged)).toEqual(["directory", "file", "hardlink"]);
    });
    expect(readdirSync(dir)).toEqual([]);
    expect(readdirSync(lower)).toEqual(["directory", "file", "hardlink"]);
  });

  it("shows the very files of the parent", async () => {
    const { lower } = await changed(() => {});
    const one = await driver.prepare("one", "base");
    const two = await driver.prepare("two", "base");
    const mounts = [await one.mount(), await two.mount()];
    const inodes = mounts.map(({ path }) => statSync(`${path}/file`).ino);
    expect(inodes).toEqual([statSync(`${lower}/file`).ino, statSync(`${lower}/file`).ino]);
    for (const mount of mounts) await mount.close();
  });

  it("is a whole copy of the file, and nothing else", async () => {
    const { dir } = await changed((merged) => {
      writeFileSync(`${merged}/directory/child`, "+", { flag: "a" });
    });
    expect(readFileSync(`${dir}/directory/child`, "utf8")).toBe("below+");
    expect(readdirSync(dir)).toEqual(["directory"]);
  });

  it("is a whiteout for what is deleted", async () => {
    const { dir } = await changed((merged) => rmSync(`${merged}/file`));
    const { mode, rdev } = statx(AT_FDCWD, `${dir}/file`);
    expect(mode & S_IFMT).toBe(S_IFCHR);
    expect(rdev).toEqual({ major: 0, minor: 0 });
  });

  it("is an opaque directory for one that is replaced", async () => {
    const { dir } = await changed((merged) => {
      rmSync(`${merged}/directory`, { recursive: true });
      mkdirSync(`${merged}/directory`);
      writeFileSync(`${merged}/directory/new`, "");
    });
    expect(getxattrat(AT_FDCWD, `${dir}/directory`, "trusted.overlay.opaque")?.toString()).toBe("y");
    expect(readdirSync(`${dir}/directory`)).toEqual(["new"]);
  });

  it("reads as a tar applier writes it: whiteouts and opaque directories put there by hand", async () => {
    await layer(driver, "child", "base", (dir) => {
      mkdirSync(`${dir}/directory`);
      setxattrat(AT_FDCWD, `${dir}/directory`, "trusted.overlay.opaque", Buffer.from("y"));
      writeFileSync(`${dir}/directory/new`, "");
    });
    const view = await driver.view("look", "child");
    const mount = await view.mount();
    expect(readdirSync(`${mount.path}/directory`)).toEqual(["new"]);
    expect(lstatSync(`${mount.path}/hardlink`).isFile()).toBe(true);
    await mount.close();
  });

  it("means the same elsewhere: no index, no redirects, no copies of metadata only", async () => {
    const active = await driver.prepare("active", "base");
    const mount = await active.mount();
    const options = mountAt(mount.path)?.superOptions.split(",") ?? [];
    // The kernel lists what differs from its defaults, and with "on" it would list it in any case.
    for (const feature of ["index=on", "redirect_dir=on", "metacopy=on"])
      expect(options).not.toContain(feature);
    await mount.close();
    expect(getxattrat(AT_FDCWD, active.layout().dir, "trusted.overlay.uuid")).toBeUndefined();
  });

  it("counts as the snapshot's own, and the parent's does not", async () => {
    const active = await driver.prepare("active", "base");
    const before = await driver.usage("active");
    writeFileSync(`${active.layout().dir}/new`, Buffer.alloc(1 << 20, 1));
    const after = await driver.usage("active");
    expect(before.inodes).toBe(1);
    expect(after.inodes).toBe(2);
    expect(after.bytes - before.bytes).toBe(1 << 20);
  });
});
