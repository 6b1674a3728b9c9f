import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  AT_FDCWD,
  BTRFS_DIR_INDEX,
  BTRFS_EXTENT_DATA,
  BTRFS_INODE_EXTREF,
  BTRFS_INODE_ITEM,
  BTRFS_INODE_REF,
  BTRFS_QGROUP_INFO,
  BTRFS_QGROUP_STATUS,
  BTRFS_QUOTA_TREE,
  BTRFS_ROOT_DIRECTORY,
  BTRFS_ROOT_ITEM,
  BTRFS_ROOT_REF,
  BTRFS_ROOT_TREE,
  btrfsQgroupLimit,
  btrfsQgroupRemove,
  btrfsQuotaDisable,
  btrfsQuotaEnableSimple,
  btrfsSetSubvolReadonly,
  btrfsSnapCreate,
  btrfsSubvolCreate,
  btrfsSubvolDestroy,
  btrfsSubvolInfo,
  btrfsSubvolReadonly,
  btrfsSync,
  btrfsTreeSearch,
  decodeDirEntry,
  decodeFileExtent,
  decodeInodeItem,
  decodeInodeNames,
  decodeQgroupBytes,
  decodeQuotaStatus,
  decodeRootRef,
  mkdirat,
  O_DIRECTORY,
  O_RDONLY,
  openat,
  syncfs,
} from "@strata/linux";
import { expect, it } from "vitest";
import { describeOnBtrfs } from "./btrfs-on-loop.ts";
import { asRoot, useScratch, using } from "./support.ts";

const scratch = useScratch();

asRoot("another file system has none of these calls", () => {
  const calls = [
    () => btrfsSubvolCreate(scratch.fd, "tree"),
    () => btrfsSubvolInfo(scratch.fd),
    () => [...btrfsTreeSearch(scratch.fd, { tree: 0n, types: [0, 255] })],
  ];
  for (const call of calls) expect(call).toThrow(expect.objectContaining({ code: "ENOTTY" }));
});

describeOnBtrfs("on btrfs", (mount) => {
  const at = (name: string): string => join(mount.path, name);
  const open = <T>(name: string, action: (fd: number) => T): T =>
    using(openat(AT_FDCWD, at(name), O_RDONLY | O_DIRECTORY), action);
  const infoOf = (name: string) => open(name, btrfsSubvolInfo);

  async function snapshot(source: string, name: string, readonly: boolean): Promise<void> {
    const fd = openat(AT_FDCWD, at(source), O_RDONLY | O_DIRECTORY);
    const done = btrfsSnapCreate(mount.fd, name, fd, readonly);
    await done.finally(() => using(fd, () => {}));
  }

  it("makes subvolumes, snapshots with what was just written, and removes them by id", async () => {
    btrfsSubvolCreate(mount.fd, "source");
    writeFileSync(at("source/file"), "content");
    await snapshot("source", "copy", false);
    expect(readFileSync(at("copy/file"), "utf8")).toBe("content");
    writeFileSync(at("copy/file"), "other");
    expect(readFileSync(at("source/file"), "utf8")).toBe("content");

    const [source, copy] = [infoOf("source"), infoOf("copy")];
    expect(source).toMatchObject({ isSnapshot: false, parentId: 5n });
    expect(copy).toMatchObject({ isSnapshot: true, parentId: 5n });
    expect(copy.id).toBeGreaterThan(source.id);
    expect(copy.madeIn).toBeGreaterThanOrEqual(source.madeIn);
    for (const { id } of [source, copy]) btrfsSubvolDestroy(mount.fd, id);
    expect(readdirSync(mount.path)).toEqual([]);
    expect(() => btrfsSubvolDestroy(mount.fd, source.id)).toThrow(
      expect.objectContaining({ code: "ENOENT", syscall: "ioctl SNAP_DESTROY_V2" }),
    );
  });

  it("says what is wrong with a name", async () => {
    expect(() => btrfsSubvolCreate(mount.fd, "a\0b")).toThrow(TypeError);
    mkdirat(mount.fd, "taken", 0o755);
    const taken = expect.objectContaining({ code: "EEXIST", path: "taken" });
    expect(() => btrfsSubvolCreate(mount.fd, "taken")).toThrow(taken);
    await expect(btrfsSnapCreate(mount.fd, "taken", mount.fd, false)).rejects.toEqual(taken);
    expect(() => btrfsSubvolCreate(mount.fd, "x".repeat(256))).toThrow(/ENAMETOOLONG/);
  });

  it("keeps root from writing to what is read-only, and lets him again", async () => {
    btrfsSubvolCreate(mount.fd, "plain");
    await snapshot("plain", "closed", true);
    expect(open("plain", btrfsSubvolReadonly)).toBe(false);
    expect(open("closed", btrfsSubvolReadonly)).toBe(true);
    expect(() => writeFileSync(at("closed/file"), "")).toThrow(/EROFS/);
    open("closed", (fd) => btrfsSetSubvolReadonly(fd, false));
    writeFileSync(at("closed/file"), "");
    open("closed", (fd) => btrfsSetSubvolReadonly(fd, true));
    expect(() => writeFileSync(at("closed/file"), "new")).toThrow(/EROFS/);
  });

  it("finds inodes, names, entries and extents by number", () => {
    btrfsSubvolCreate(mount.fd, "tree");
    mkdirSync(at("tree/directory"));
    writeFileSync(at("tree/small"), "in the tree itself");
    writeFileSync(at("tree/big"), Buffer.alloc(100_000, 1));
    symlinkSync("small", at("tree/link"));
    // So many names of one file that the references do not fit one item.
    for (let n = 0; n < 300; n++) linkSync(at("tree/big"), at(`tree/directory/${n}-${"x".repeat(200)}`));
    open("tree", (fd) => {
      syncfs(fd);
      const big = BigInt(statSync(at("tree/big")).ino);
      const small = BigInt(statSync(at("tree/small")).ino);
      const directory = BigInt(statSync(at("tree/directory")).ino);
      const search = (object: bigint, first: number, last = first) => [
        ...btrfsTreeSearch(fd, { tree: 0n, objects: [object, object], types: [first, last] }),
      ];

      const [inode] = search(big, BTRFS_INODE_ITEM).map(decodeInodeItem);
      expect(inode).toMatchObject({ nlink: 301, mode: statSync(at("tree/big")).mode });
      const references = search(big, BTRFS_INODE_REF, BTRFS_INODE_EXTREF);
      expect(new Set(references.map(({ type }) => type))).toEqual(new Set([12, 13]));
      const names = references.flatMap((item) => [...decodeInodeNames(item)]);
      expect(names.length).toBe(301);
      expect(names.find(({ name }) => name.equals(Buffer.from("big")))?.directory).toBe(BTRFS_ROOT_DIRECTORY);
      expect(new Set(names.map((name) => name.directory))).toEqual(
        new Set([BTRFS_ROOT_DIRECTORY, directory]),
      );

      const entries = search(BTRFS_ROOT_DIRECTORY, BTRFS_DIR_INDEX).map(decodeDirEntry);
      expect(entries.map(({ name }) => name.toString())).toEqual(["directory", "small", "big", "link"]);
      expect(entries.map(({ isDirectory }) => isDirectory)).toEqual([true, false, false, false]);
      expect(entries[0]?.inode).toBe(directory);

      const [extent] = search(big, BTRFS_EXTENT_DATA).map(decodeFileExtent);
      expect(extent).toEqual({ madeIn: expect.any(BigInt), address: expect.any(BigInt), diskBytes: 102_400 });
      const [inline] = search(small, BTRFS_EXTENT_DATA).map(decodeFileExtent);
      expect(inline).toMatchObject({ address: undefined, diskBytes: 18 });
    });
  });

  it("finds more than fits one answer, and leaves old blocks out", async () => {
    btrfsSubvolCreate(mount.fd, "many");
    for (let n = 0; n < 3000; n++) writeFileSync(at(`many/${n}`), `${n}`);
    await snapshot("many", "changed", false);
    writeFileSync(at("changed/1500"), "x");
    open("changed", (fd) => {
      syncfs(fd);
      const { madeIn } = btrfsSubvolInfo(fd);
      const search = { tree: 0n, types: [BTRFS_INODE_ITEM, BTRFS_INODE_ITEM] } as const;
      const all = [...btrfsTreeSearch(fd, search)];
      expect(all.length).toBe(3001);
      const found = [...btrfsTreeSearch(fd, { ...search, minTransid: madeIn + 1n })];
      expect(found.length).toBeGreaterThan(0);
      expect(found.length).toBeLessThan(300);
      const changed = found.filter((item) => decodeInodeItem(item).changedIn > madeIn);
      expect(changed.map(({ object }) => object)).toEqual([BigInt(statSync(at("changed/1500")).ino)]);
      const some = [...btrfsTreeSearch(fd, { ...search, objects: [300n, 399n] })];
      expect(some.length).toBe(100);
    });
  });

  it("finds subvolumes in a subvolume, which keep it from being removed", () => {
    btrfsSubvolCreate(mount.fd, "outer");
    mkdirSync(at("outer/way"));
    open("outer/way", (fd) => btrfsSubvolCreate(fd, "inner"));
    renameSync(at("outer/way/inner"), at("outer/way/renamed"));
    const [outer, inner] = [infoOf("outer"), infoOf("outer/way/renamed")];
    const types = [BTRFS_ROOT_REF, BTRFS_ROOT_REF] as const;
    const [item] = btrfsTreeSearch(mount.fd, { tree: BTRFS_ROOT_TREE, objects: [outer.id, outer.id], types });
    if (item === undefined) throw new Error("not found");
    expect(item.offset).toBe(inner.id);
    const directory = BigInt(statSync(at("outer/way")).ino);
    expect(decodeRootRef(item)).toEqual({ directory, name: Buffer.from("renamed") });
    expect(() => btrfsSubvolDestroy(mount.fd, outer.id)).toThrow(/ENOTEMPTY/);
    btrfsSubvolDestroy(mount.fd, inner.id);
    btrfsSubvolDestroy(mount.fd, outer.id);
  });

  it("has the kernel give back what was removed", async () => {
    btrfsSubvolCreate(mount.fd, "gone");
    const { id } = infoOf("gone");
    btrfsSubvolDestroy(mount.fd, id);
    const roots = () => [
      ...btrfsTreeSearch(mount.fd, {
        tree: BTRFS_ROOT_TREE,
        objects: [id, id],
        types: [132, BTRFS_ROOT_ITEM],
      }),
    ];
    expect(roots().length).toBe(1);
    await btrfsSync(mount.fd);
    for (let tries = 0; roots().length > 0 && tries < 500; tries++) await setTimeout(10);
    expect(roots()).toEqual([]);
  });

  it("counts by simple quotas and keeps a limit", () => {
    const quota = (type: number) => [
      ...btrfsTreeSearch(mount.fd, { tree: BTRFS_QUOTA_TREE, types: [type, type] }),
    ];
    expect(() => quota(BTRFS_QGROUP_STATUS)).toThrow(/ENOENT/);
    btrfsQuotaEnableSimple(mount.fd);
    expect(quota(BTRFS_QGROUP_STATUS).map(decodeQuotaStatus)).toEqual([{ on: true, simple: true }]);

    btrfsSubvolCreate(mount.fd, "limited");
    const { id } = infoOf("limited");
    btrfsQgroupLimit(mount.fd, id, 2_000_000n);
    writeFileSync(at("limited/fits"), Buffer.alloc(1_000_000, 1));
    // EDQUOT, for which Node has no name.
    const full = expect.objectContaining({ errno: -122 });
    expect(() => writeFileSync(at("limited/too-big"), Buffer.alloc(2_000_000, 1))).toThrow(full);
    const makeMany = (fd: number) => {
      for (let n = 0; n < 10_000; n++) mkdirat(fd, `${n}`, 0o755);
    };
    expect(() => open("limited", makeMany)).toThrow(expect.objectContaining({ code: "EDQUOT" }));
    syncfs(mount.fd);
    const count = quota(BTRFS_QGROUP_INFO).find(({ offset }) => offset === id);
    if (count === undefined) throw new Error("not counted");
    expect(decodeQgroupBytes(count)).toBeGreaterThanOrEqual(1_000_000);
    expect(() => btrfsQgroupRemove(mount.fd, id)).toThrow(expect.objectContaining({ code: "EBUSY" }));
    btrfsQuotaDisable(mount.fd);
    expect(() => btrfsQgroupLimit(mount.fd, id, 1n)).toThrow(expect.objectContaining({ code: "ENOTCONN" }));
  });
});
