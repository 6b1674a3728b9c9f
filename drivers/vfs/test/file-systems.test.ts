import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ActiveSnapshot, isStrataError } from "@strata/core";
import { expect, test } from "vitest";
import { base, open } from "./base-layer.ts";
import { describeTree, fillWithEverything } from "./fixtures/trees.mjs";
import { runsAsRoot, scratch } from "./scratch.ts";

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
