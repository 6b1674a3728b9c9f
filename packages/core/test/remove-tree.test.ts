import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, linkSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removeTree, treeUsage } from "@strata/core";
import { expect, test } from "vitest";
import { asOrdinaryUser, ordinaryScratch, runsAsRoot } from "./ordinary-user.ts";
import { scratch } from "./scratch.ts";

test("removes files, directories and what is not there", async () => {
  const root = scratch();
  mkdirSync(join(root, "tree/a/b"), { recursive: true });
  writeFileSync(join(root, "tree/a/file"), "content");
  symlinkSync("nowhere", join(root, "tree/link"));
  await removeTree(join(root, "tree"));
  await removeTree(join(root, "tree"));
  await removeTree(join(root, "no/such/parent"));
  writeFileSync(join(root, "file"), "");
  await removeTree(join(root, "file"));
  expect(readdirSync(root)).toEqual([]);
});

test("never follows a symlink", async () => {
  const root = scratch();
  const victim = join(root, "victim");
  mkdirSync(victim);
  writeFileSync(join(victim, "file"), "precious");
  mkdirSync(join(root, "tree"));
  symlinkSync(victim, join(root, "tree/inside"));
  symlinkSync(victim, join(root, "itself"));
  await removeTree(join(root, "tree"));
  await removeTree(join(root, "itself"));
  expect(readdirSync(root)).toEqual(["victim"]);
  expect(readdirSync(victim)).toEqual(["file"]);
});

test("names that are no UTF-8, 255 bytes long, or hold newlines", async () => {
  const root = scratch();
  const tree = Buffer.from(join(root, "tree"));
  for (const name of [[0xff, 0xfe], [0x0a], [0x20], Array(255).fill(0xe9)]) {
    mkdirSync(Buffer.concat([tree, Buffer.from("/"), Buffer.from(name)]), { recursive: true });
    writeFileSync(Buffer.concat([tree, Buffer.from("/"), Buffer.from(name), Buffer.from([0x2f, 0xff])]), "");
  }
  await removeTree(join(root, "tree"));
  expect(readdirSync(root)).toEqual([]);
});

test("a tree deeper than any path", async () => {
  const root = scratch();
  const tree = join(root, "tree");
  mkdirSync(tree);
  // Levels of 200 bytes, moved below each other so that no path becomes too long.
  const name = "d".repeat(200);
  for (let level = 0; level < 300; level++) {
    mkdirSync(join(root, "outer"));
    writeFileSync(join(root, "outer/file"), "");
    execFileSync("mv", [tree, join(root, "outer", name)]);
    execFileSync("mv", [join(root, "outer"), tree]);
  }
  const usage = await treeUsage(tree);
  expect(usage.inodes).toBe(601);
  expect(await removeTree(tree)).toEqual(usage);
  expect(existsSync(tree)).toBe(false);
});

test("says what was given back: a file that has names elsewhere was not", async () => {
  const root = scratch();
  mkdirSync(join(root, "tree"));
  for (const name of ["one", "two", "three"]) writeFileSync(join(root, "tree", name), Buffer.alloc(8192, 1));
  linkSync(join(root, "tree/one"), join(root, "tree/also-one"));
  linkSync(join(root, "tree/two"), join(root, "elsewhere"));
  const usage = await treeUsage(join(root, "tree"));
  expect(usage.inodes).toBe(4);
  expect(await removeTree(join(root, "tree"))).toEqual({ bytes: usage.bytes - 8192, inodes: 3 });
});

test("usage is du's", async () => {
  const tree = join(import.meta.dirname, "..");
  const du = (flag: string) =>
    Number.parseInt(execFileSync("du", ["-s", flag, tree], { encoding: "utf8" }), 10);
  expect(await treeUsage(tree)).toEqual({ bytes: du("--block-size=1"), inodes: du("--inodes") });
});

test("an abort stops it, with the signal's reason", async () => {
  const root = scratch();
  mkdirSync(join(root, "tree"));
  for (let n = 0; n < 100; n++) writeFileSync(join(root, "tree", `${n}`), "");
  const reason = new Error("keep the rest");
  await expect(removeTree(join(root, "tree"), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(readdirSync(join(root, "tree"))).toHaveLength(100);
  await expect(treeUsage(root, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test("the event loop has its turns", async () => {
  const root = scratch();
  mkdirSync(join(root, "tree"));
  for (let n = 0; n < 5000; n++) writeFileSync(join(root, "tree", `${n}`), "");
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await removeTree(join(root, "tree"));
  clearInterval(timer);
  expect(turns).toBeGreaterThan(1);
});

test("two at once on one tree", async () => {
  const root = scratch();
  for (let n = 0; n < 3000; n++) mkdirSync(join(root, `tree/${n % 30}/${n}`), { recursive: true });
  await Promise.all([removeTree(join(root, "tree")), removeTree(join(root, "tree"))]);
  expect(readdirSync(root)).toEqual([]);
});

test.runIf(runsAsRoot)("refuses at a mount, and leaves what is under it", async () => {
  const root = scratch();
  const victim = join(root, "victim");
  mkdirSync(victim, { mode: 0o500 });
  writeFileSync(join(victim, "file"), "precious");
  mkdirSync(join(root, "tree/mounted"), { recursive: true });
  execFileSync("mount", ["--bind", victim, join(root, "tree/mounted")]);
  try {
    await expect(removeTree(join(root, "tree"))).rejects.toMatchObject({
      code: "Busy",
      message: expect.stringContaining('"mounted" in it is a mount point'),
    });
    expect((await treeUsage(join(root, "tree"))).inodes).toBe(1);
  } finally {
    execFileSync("umount", [join(root, "tree/mounted")]);
  }
  expect(readdirSync(victim)).toEqual(["file"]);
  expect(spawnSync("stat", ["-c", "%a", victim], { encoding: "utf8" }).stdout).toBe("500\n");
  await removeTree(join(root, "tree"));
});

test("as an ordinary user: directories closed to their owner", async () => {
  const root = ordinaryScratch();
  const tree = join(root, "tree");
  await asOrdinaryUser(
    `
    const { chmodSync, mkdirSync, writeFileSync } = await import("node:fs");
    const { removeTree, treeUsage } = await import("@strata/core");
    for (const [name, mode] of [["a", 0o000], ["b", 0o500], ["c", 0o400], ["d", 0o200]]) {
      mkdirSync(root + "/tree/" + name + "/below", { recursive: true });
      writeFileSync(root + "/tree/" + name + "/file", "");
      chmodSync(root + "/tree/" + name, mode);
    }
    const { inodes } = await treeUsage(root + "/tree");
    if (inodes !== 7) throw new Error("inodes " + inodes);
    chmodSync(root + "/tree", 0);
    await removeTree(root + "/tree");
    `,
    root,
  );
  expect(existsSync(tree)).toBe(false);
  chmodSync(root, 0o700);
});
