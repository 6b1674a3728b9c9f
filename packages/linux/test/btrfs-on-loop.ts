import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";

const lacking = whatIsLacking();
if (lacking !== undefined) {
  if (process.env["CI"] === "true") throw new Error(lacking);
  console.warn(`tests on btrfs are skipped: ${lacking}`);
}

function whatIsLacking(): string | undefined {
  if (process.geteuid?.() !== 0) return "they need root, to mount";
  try {
    execFileSync("mkfs.btrfs", ["--version"], { stdio: "ignore" });
  } catch {
    return "they need mkfs.btrfs (btrfs-progs)";
  }
  return undefined;
}

/** Tests that find a new btrfs, on a loop device, at `mount.path`, open as `mount.fd`. */
export function describeOnBtrfs(title: string, tests: (mount: { path: string; fd: number }) => void): void {
  describe.skipIf(lacking !== undefined)(title, () => {
    const mount = { path: "", fd: -1 };
    let directory = "";
    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), "strata-btrfs-"));
      const [image, path] = [join(directory, "image"), join(directory, "mount")];
      closeSync(openSync(image, "w"));
      truncateSync(image, 512 * 1024 * 1024);
      mkdirSync(path);
      execFileSync("mkfs.btrfs", ["--quiet", image], { stdio: "ignore" });
      execFileSync("mount", ["-t", "btrfs", "-o", "loop", image, path]);
      mount.path = path;
      mount.fd = openSync(path, "r");
    });
    afterAll(() => {
      if (mount.fd >= 0) {
        closeSync(mount.fd);
        execFileSync("umount", [mount.path]);
      }
      rmSync(directory, { recursive: true });
    });
    tests(mount);
  });
}
