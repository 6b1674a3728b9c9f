import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const quickstart = fileURLToPath(new URL("../dist/quickstart/main.js", import.meta.url));
const isRoot = process.geteuid?.() === 0;
const nobody = { uid: 65534, gid: 65534 };

describe("npm run quickstart", () => {
  it.runIf(isRoot)("does the main job with overlay2 as root", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [quickstart], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^driver +overlay2: /);
    expect(stdout).toContain("the tree that was loaded is the tree that was saved");
    expect(status).toBe(0);
  });

  it("does the main job with vfs as an ordinary user, and says what that lacks", () => {
    const options = { encoding: "utf8", ...(isRoot && nobody) } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [quickstart], options);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^driver +vfs: overlay2 cannot work /);
    expect(stdout).toContain("layers do not share files");
    expect(stdout).toContain("the tree that was loaded is the tree that was saved");
    expect(status).toBe(0);
  });
});
