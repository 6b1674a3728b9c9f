import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { AT_FDCWD, close, fsconfigCreate, fsmount, fsopen, moveMount, umount2 } from "@strata/linux";
import { expect, it } from "vitest";
import { describeAsRoot, useScratch } from "./support.ts";

const scratch = useScratch();
const execFileAsync = promisify(execFile);
const packageDirectory = fileURLToPath(new URL("..", import.meta.url));

describeAsRoot("opening", () => {
  it("tries overlayfs out, and leaves no trace of it", async () => {
    const driver = await scratch.open();
    expect(driver.capabilities.sharesParent.supported).toBe(true);
    expect(existsSync(join(driver.root, "probe"))).toBe(false);
  });

  it("clears away what a killed process left of a trial", async () => {
    const left = join(scratch.path, "root/probe/upper/x");
    mkdirSync(left, { recursive: true });
    writeFileSync(join(left, "file"), "");
    const driver = await scratch.open();
    expect(readdirSync(driver.root)).not.toContain("probe");
  });

  it("works in several processes at once", async () => {
    const script = `
      const { overlay2 } = await import("@strata/driver-overlay2");
      for (let n = 0; n < 20; n++) await (await overlay2({ root: ${JSON.stringify(join(scratch.path, "root"))} })).close();
    `;
    const processes = Array.from({ length: 4 }, () =>
      execFileAsync(process.execPath, ["--input-type=module", "--eval", script], { cwd: packageDirectory }),
    );
    await Promise.all(processes);
  });

  it("refuses a root on overlayfs, as in a container, and says what to do", async () => {
    const driver = await scratch.open();
    const mount = await (await driver.prepare("active")).mount();
    await expect(scratch.open({ root: join(mount.path, "inner") })).rejects.toMatchObject({
      code: "Unsupported",
      message: expect.stringMatching(
        /overlay2 cannot work in .*inner: it is on an overlayfs itself.*put it on ext4/,
      ),
    });
  });

  it("refuses a file system without extended attributes", async () => {
    const ramfs = join(scratch.path, "ramfs");
    mkdirSync(ramfs);
    const context = fsopen("ramfs");
    fsconfigCreate(context);
    const mount = fsmount(context);
    close(context);
    moveMount(mount, AT_FDCWD, ramfs);
    close(mount);
    try {
      await expect(scratch.open({ root: join(ramfs, "root") })).rejects.toMatchObject({
        code: "Unsupported",
        message: expect.stringContaining("put it on ext4, xfs, btrfs or tmpfs"),
      });
    } finally {
      umount2(ramfs);
    }
  });

  it("refuses ordinary users", async () => {
    chmodSync(scratch.path, 0o777);
    const script = `
      process.seteuid(65534);
      const { overlay2 } = await import("@strata/driver-overlay2");
      await overlay2({ root: ${JSON.stringify(join(scratch.path, "mine"))} }).catch((error) => console.log(error.code, error.message));
    `;
    const { stdout } = await execFileAsync(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: packageDirectory,
    });
    expect(stdout).toMatch(/^Unsupported overlay2 cannot work in .*mine: .*root.*run as root$/m);
  });
});
