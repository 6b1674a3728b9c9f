import { chmodSync, chownSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { AT_FDCWD, getxattrat, listxattrat, setxattrat, utimensat } from "@strata/linux";
import { expect, it } from "vitest";
import { describeAsRoot, layer, useScratch } from "./support.ts";

const scratch = useScratch();

describeAsRoot("the root directory", () => {
  it.each(["active", "view"] as const)("of an %s is its parent's in every way", async (kind) => {
    const driver = await scratch.open();
    const mtime = { sec: 1_234_567_890, nsec: 123_456_789 };
    await layer(driver, "base", undefined, (dir) => {
      chownSync(dir, 12, 34);
      chmodSync(dir, 0o3751);
      setxattrat(AT_FDCWD, dir, "user.note", Buffer.from([0, 255]));
      setxattrat(AT_FDCWD, dir, "trusted.overlay.opaque", Buffer.from("y"));
      setxattrat(AT_FDCWD, dir, "trusted.overlay.overlay.opaque", Buffer.from("y"));
      utimensat(AT_FDCWD, dir, mtime);
    });
    await layer(driver, "middle", "base", () => {});

    const snapshot =
      kind === "view" ? await driver.view("top", "middle") : await driver.prepare("top", "middle");
    const { dir } = snapshot.layout();
    expect(listxattrat(AT_FDCWD, dir).map(String).sort()).toEqual([
      "trusted.overlay.overlay.opaque",
      "user.note",
    ]);
    const mount = await snapshot.mount();
    expect(statSync(mount.path, { bigint: true })).toMatchObject({
      mode: 0o43751n,
      uid: 12n,
      gid: 34n,
      mtimeNs: 1_234_567_890_123_456_789n,
    });
    expect(getxattrat(AT_FDCWD, mount.path, "user.note")).toEqual(Buffer.from([0, 255]));
    expect(getxattrat(AT_FDCWD, mount.path, "trusted.overlay.opaque")?.toString()).toBe("y");
    await mount.close();
  });

  it("of a child is not changed with its parent's, nor the other way round", async () => {
    const driver = await scratch.open();
    await layer(driver, "base", undefined, (dir) => chmodSync(dir, 0o711));
    const active = await driver.prepare("active", "base");
    const mount = await active.mount();
    chmodSync(mount.path, 0o700);
    utimesSync(mount.path, 5, 5);
    writeFileSync(`${mount.path}/file`, "");
    rmSync(`${mount.path}/file`);
    await mount.close();
    const view = await driver.view("view", "base");
    expect(statSync(view.layout().dir).mode & 0o7777).toBe(0o711);
  });
});
