import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  AT_FDCWD,
  close,
  fsconfigCreate,
  fsconfigFd,
  fsconfigFlag,
  fsconfigString,
  fscontextLog,
  fsmount,
  fsopen,
  MNT_DETACH,
  MOUNT_ATTR_RDONLY,
  MS_PRIVATE,
  MS_SHARED,
  mountInfo,
  mountSetattr,
  moveMount,
  O_PATH,
  OPEN_TREE_CLONE,
  openat,
  openTree,
  statx,
  UMOUNT_NOFOLLOW,
  umount2,
} from "@strata/linux";
import { expect, it } from "vitest";
import { asRoot, useScratch, using } from "./support.ts";

const scratch = useScratch();
const mountOf = (path: string) => mountInfo().find(({ mountPoint }) => mountPoint.equals(Buffer.from(path)));

function directory(name: string): string {
  const path = join(scratch.path, name);
  mkdirSync(path);
  return path;
}

function mountTmpfs(path: string, ...flags: string[]): void {
  using(fsopen("tmpfs"), (context) => {
    fsconfigString(context, "source", "a source");
    fsconfigString(context, "size", "1048576");
    for (const flag of flags) fsconfigFlag(context, flag);
    fsconfigCreate(context);
    using(fsmount(context), (mount) => moveMount(mount, AT_FDCWD, path));
  });
}

asRoot("mounts a file system at a path with odd characters", () => {
  const path = directory("a b,c:d\\e\nf#ü");
  mountTmpfs(path, "ro");
  try {
    expect(statx(AT_FDCWD, path).mountRoot).toBe(true);
    expect(mountOf(path)).toMatchObject({
      fstype: "tmpfs",
      root: Buffer.from("/"),
      source: Buffer.from("a source"),
    });
    expect(mountOf(path)?.superOptions).toMatch(/^ro,.*size=1024k/);
    expect(() => writeFileSync(join(path, "file"), "")).toThrow(expect.objectContaining({ code: "EROFS" }));
  } finally {
    umount2(path, UMOUNT_NOFOLLOW);
  }
  expect(mountOf(path)).toBeUndefined();
});

asRoot("mounts by descriptors, and drops a mount that was never moved", () => {
  const [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map(directory);
  writeFileSync(`${lower}/file`, "below");
  using(fsopen("overlay"), (context) => {
    for (const [key, path] of [
      ["lowerdir+", lower],
      ["upperdir", upper],
      ["workdir", work],
    ] as const) {
      using(openat(AT_FDCWD, path ?? "", O_PATH), (fd) => fsconfigFd(context, key, fd));
    }
    fsconfigCreate(context);
    using(fsmount(context), (mount) => {
      expect(readFileSync(openat(mount, "file", 0), "utf8")).toBe("below");
    });
  });
  expect(readdirSync(merged ?? "")).toEqual([]);
});

asRoot("tells the kernel's reasons", () => {
  using(fsopen("overlay"), (context) => {
    expect(fscontextLog(context)).toEqual([]);
    expect(() => fsconfigString(context, "nonsense", "1")).toThrow(
      expect.objectContaining({ code: "EINVAL", syscall: "fsconfig", path: "nonsense" }),
    );
    expect(fscontextLog(context)).toEqual(["overlay: Unknown parameter 'nonsense'"]);
    expect(fscontextLog(context)).toEqual([]);
  });
});

asRoot("makes a read-only, private copy of a shared mount", () => {
  const source = directory("source");
  const target = directory("target");
  mountTmpfs(source);
  try {
    writeFileSync(join(source, "file"), "x");
    using(openTree(AT_FDCWD, source, 0), (mount) => mountSetattr(mount, { propagation: MS_SHARED }));
    expect(mountOf(source)?.optionalFields).toEqual([expect.stringMatching(/^shared:/)]);
    using(openTree(AT_FDCWD, source, OPEN_TREE_CLONE), (tree) => {
      mountSetattr(tree, { set: MOUNT_ATTR_RDONLY, propagation: MS_PRIVATE });
      using(openat(AT_FDCWD, target, O_PATH), (fd) => moveMount(tree, fd, ""));
    });
    expect(mountOf(target)?.optionalFields).toEqual([]);
    expect(mountOf(target)?.options).toContain("ro");
    expect(readFileSync(join(target, "file"), "utf8")).toBe("x");
    expect(() => writeFileSync(join(target, "file"), "y")).toThrow(
      expect.objectContaining({ code: "EROFS" }),
    );
    writeFileSync(join(source, "file"), "y");
    using(openTree(AT_FDCWD, target, 0), (mount) => mountSetattr(mount, { clear: MOUNT_ATTR_RDONLY }));
    writeFileSync(join(target, "file"), "z");
  } finally {
    for (const path of [target, source]) if (mountOf(path) !== undefined) umount2(path);
  }
});

asRoot("does not unmount what is in use, unless told to detach it", () => {
  const path = directory("busy");
  mountTmpfs(path);
  const fd = openat(AT_FDCWD, path, 0);
  expect(() => umount2(path)).toThrow(expect.objectContaining({ code: "EBUSY", syscall: "umount2", path }));
  umount2(path, MNT_DETACH);
  expect(mountOf(path)).toBeUndefined();
  close(fd);
});

it("fails on an unknown file system", () => {
  expect(() => fsopen("no-such-fs")).toThrow(
    expect.objectContaining({ syscall: "fsopen", path: "no-such-fs" }),
  );
});

it("lists mounts with their parents", () => {
  const root = mountOf("/");
  expect(root?.options.length).toBeGreaterThan(0);
  expect(mountInfo().some(({ parentId, id }) => parentId === root?.id && id !== root.id)).toBe(true);
});
