import { execFileSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { chmod, chown, mkdir, symlink, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compressors } from "./support/compress.ts";
import { layerOf } from "./support/image.ts";
import { drivers, listing, type OpenedStore, openStore, Scratch, treeOf } from "./support/store.ts";
import { tarOf } from "./support/tar.ts";

let scratch: Scratch;
let opened: OpenedStore;

beforeEach(async () => {
  scratch = await Scratch.make();
  opened = await openStore(scratch.join("store"));
});

afterEach(async () => {
  delete process.env["SOURCE_DATE_EPOCH"];
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

const tree = { "etc/os-release": "strata\n", "usr/bin/a": "a" };

async function rootfs(compression = "none"): Promise<string> {
  const path = scratch.join("rootfs");
  await writeFile(path, compressors[compression]?.(await layerOf(tree)) ?? "");
  return path;
}

describe("import", () => {
  it.each(Object.keys(compressors))(
    "takes a tar with the compression %s, from a file and a stream",
    async (name) => {
      const path = await rootfs(name);
      const { id } = await opened.store.import(path, { reference: "rootfs" });
      expect(await treeOf(opened, "rootfs")).toEqual(tree);
      expect((await opened.store.resolve("rootfs")).id).toBe(id);
      const streamed = await opened.store.import(createReadStream(path));
      expect(await treeOf(opened, streamed.id)).toEqual(tree);
    },
  );

  it.each(drivers)("takes a directory under %s", async (driver) => {
    await using other = await openStore(scratch.join("other"), driver);
    await mkdir(scratch.join("tree/etc"), { recursive: true });
    await writeFile(scratch.join("tree/etc/os-release"), "strata\n");
    await symlink("os-release", scratch.join("tree/etc/link"));
    await other.store.import(scratch.join("tree"), { reference: "tree:1" });
    expect(await treeOf(other, "tree:1")).toEqual({ "etc/os-release": "strata\n" });
    const [layer] = (await other.store.resolve("tree:1")).layerSizes;
    expect(layer).toBe("strata\n".length);
  });

  it("of the same bytes gives the same image under SOURCE_DATE_EPOCH", async () => {
    process.env["SOURCE_DATE_EPOCH"] = "1700000000";
    const first = await opened.store.import(await rootfs());
    expect(await opened.store.import(await rootfs())).toEqual(first);
    const { config } = await opened.store.resolve(first.id);
    expect(config.created).toBe("2023-11-14T22:13:20.000Z");
  });

  it("notes message, platform and changes", async () => {
    const { id } = await opened.store.import(await rootfs(), {
      message: "größer",
      platform: "linux/arm/v6",
      changes: ["CMD a b", "ENV X=1"],
    });
    const { config } = await opened.store.resolve(id);
    expect(config).toMatchObject({
      architecture: "arm",
      variant: "v6",
      os: "linux",
      config: { Cmd: ["/bin/sh", "-c", "a b"], Env: ["X=1"] },
    });
    expect(config.history).toMatchObject([{ comment: "größer" }]);
  });

  it.each([
    ["a bad reference", { reference: "Upper" }, /invalid reference format/],
    ["a bad change", { changes: ["RUN x"] }, /RUN is not one of/],
    ["a bad platform", { platform: "a/b/c/d" }, /platform/],
  ])("refuses %s before it reads anything", async (_, options, says) => {
    const before = await listing(scratch.path);
    await expect(opened.store.import("/nowhere", options)).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringMatching(says),
    });
    expect(await listing(scratch.path)).toEqual(before);
  });

  it.each([
    ["text", Buffer.alloc(5000, "junk"), "InvalidArgument"],
    ["a tar that is cut off", undefined, "InvalidArgument"],
  ])("refuses %s, and leaves nothing behind", async (_, bytes, code) => {
    const path = await rootfs();
    await writeFile(path, bytes ?? (await layerOf({ big: "x".repeat(9999) })).subarray(0, 5000));
    const before = await listing(scratch.path);
    await expect(opened.store.import(path)).rejects.toMatchObject({ code });
    await opened.driver.cleanup();
    expect(await listing(scratch.path)).toEqual(before);
  });

  it.runIf(process.geteuid?.() === 0)("works for an ordinary user, who cannot set owners", async () => {
    const header = { name: "owned", uid: 1234, gid: 5678, mode: 0o4755 };
    const entries = [
      { name: "owned", content: "mine", header },
      { name: "closed/", header: { name: "closed/", type: "directory" as const, mode: 0o600 } },
      { name: "closed/file", content: "of a directory that may be listed, but not searched" },
    ];
    await writeFile(scratch.join("rootfs"), await tarOf(entries));
    await mkdir(scratch.join("user"));
    await chown(scratch.join("user"), 65_534, 65_534);
    await chmod(scratch.path, 0o755);
    const script = fileURLToPath(new URL("support/import-as-user.js", import.meta.url));
    const args = [script, scratch.join("user"), scratch.join("rootfs"), "owned"];
    expect(execFileSync(process.execPath, args, { uid: 65_534, gid: 65_534, encoding: "utf8" })).toBe("mine");
  });

  it("says what is missing", async () => {
    await expect(opened.store.import("/nowhere")).rejects.toMatchObject({
      code: "NotFound",
      message: expect.stringContaining("/nowhere"),
    });
  });
});
