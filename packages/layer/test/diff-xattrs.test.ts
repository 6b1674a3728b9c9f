import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removexattrat } from "@strata/linux";
import { expect } from "vitest";
import { listChanges, makeLayouts, readDiff, useScratch } from "./layouts.ts";
import { asRoot } from "./overlay-mount.ts";
import { agreeAndApply } from "./round-trip.ts";
import { setXattr, withDirectory } from "./tree-edits.ts";

const scratch = useScratch();

/** An ACL in the kernel's form: version 2, then tag, permissions and id for each entry. */
function acl(...entries: [tag: number, permissions: number, id: number][]): Buffer {
  const value = Buffer.alloc(4 + 8 * entries.length);
  value.writeUInt32LE(2);
  for (const [index, [tag, permissions, id]] of entries.entries()) {
    value.writeUInt16LE(tag, 4 + 8 * index);
    value.writeUInt16LE(permissions, 6 + 8 * index);
    value.writeUInt32LE(id, 8 + 8 * index);
  }
  return value;
}
const readableByUser1000 = acl(
  [1, 6, 0xffffffff],
  [2, 4, 1000],
  [4, 4, 0xffffffff],
  [16, 4, 0xffffffff],
  [32, 0, 0xffffffff],
);

// struct vfs_cap_data, revision 2: cap_net_raw, permitted and effective. It holds bytes that are not UTF-8.
const capability = Buffer.concat([Buffer.from("01000002c0ff", "hex"), Buffer.alloc(14)]);

asRoot("user-xattrs, security.capability and ACLs, on every type that has them", async () => {
  const change = (tree: string) => {
    writeFileSync(join(tree, "file"), "");
    mkdirSync(join(tree, "dir"));
    symlinkSync("x", join(tree, "link"));
    setXattr(tree, "file", "user.text", "a=b\n");
    setXattr(tree, "file", "user.empty", "");
    setXattr(tree, "file", "security.capability", capability);
    setXattr(tree, "file", "system.posix_acl_access", readableByUser1000);
    setXattr(tree, "dir", "system.posix_acl_default", readableByUser1000);
    setXattr(tree, "link", "trusted.on-a-link", Buffer.from([0, 255]));
  };
  const { entries } = await agreeAndApply(scratch, "true", change);
  const xattrs = Object.fromEntries(
    entries.map(({ path, pax }) => [
      path,
      Object.fromEntries(Object.entries(pax).filter(([k]) => k !== "mtime")),
    ]),
  );
  expect(xattrs).toEqual({
    "./": {},
    "dir/": { "SCHILY.xattr.system.posix_acl_default": readableByUser1000.toString("latin1") },
    file: {
      "SCHILY.xattr.user.text": "a=b\n",
      "SCHILY.xattr.user.empty": "",
      "SCHILY.xattr.security.capability": capability.toString("latin1"),
      "SCHILY.xattr.system.posix_acl_access": readableByUser1000.toString("latin1"),
    },
    link: { "SCHILY.xattr.trusted.on-a-link": "\0\xff" },
  });
  const [, , file] = entries;
  expect(Object.keys(file?.pax ?? {}), "records are sorted").toEqual([
    "SCHILY.xattr.security.capability",
    "SCHILY.xattr.system.posix_acl_access",
    "SCHILY.xattr.user.empty",
    "SCHILY.xattr.user.text",
    "mtime",
  ]);
});

asRoot("an attribute that is added, removed or has another value is a change", async () => {
  const base = (tree: string) => {
    for (const name of ["added", "removed", "other", "same"]) writeFileSync(join(tree, name), "");
    for (const name of ["removed", "other", "same"]) setXattr(tree, name, "user.a", "1");
  };
  const agreed = await agreeAndApply(scratch, base, (tree) => {
    setXattr(tree, "added", "user.a", "");
    setXattr(tree, "other", "user.a", "2");
    setXattr(tree, "same", "user.a", "1");
    withDirectory(tree, (fd) => removexattrat(fd, "removed", "user.a"));
  });
  expect(agreed.changes).toEqual(["C .", "C added", "C other", "C removed"]);
});

asRoot("an attribute of the root is a change of the root", async () => {
  const agreed = await agreeAndApply(scratch, "true", (tree) => setXattr(tree, ".", "user.a", "1"));
  expect(agreed.changes).toEqual(["C ."]);
  expect(agreed.entries.map(({ path, pax }) => [path, pax["SCHILY.xattr.user.a"]])).toEqual([["./", "1"]]);
});

asRoot(
  "overlay-xattrs-escaped: a file's own trusted.overlay attribute is told from overlayfs's notes",
  async () => {
    const agreed = await agreeAndApply(scratch, "mkdir d; echo 1 > d/f", (tree) => {
      setXattr(tree, "d", "trusted.overlay.opaque", "y");
      setXattr(tree, "d/f", "trusted.overlay.overlay.x", "twice");
    });
    expect(agreed.changes).toEqual(["C .", "C d", "C d/f"]);
    const [, dir, file] = agreed.entries;
    expect(dir?.pax).toMatchObject({ "SCHILY.xattr.trusted.overlay.opaque": "y" });
    expect(file?.pax).toMatchObject({ "SCHILY.xattr.trusted.overlay.overlay.x": "twice" });
  },
);

asRoot("selinux labels are the host's and are left out", async () => {
  const { plain } = makeLayouts(scratch, "touch f", "true");
  setXattr(plain.dir, "f", "security.selinux", "system_u:object_r:etc_t:s0\0");
  expect(await listChanges(plain)).toEqual([]);
  expect((await readDiff({ format: "plain", dir: plain.dir })).includes("selinux")).toBe(false);
});

asRoot("an attribute with = in its name is refused, since PAX would cut the name there", async () => {
  const { plain } = makeLayouts(scratch, "touch f", (tree) => setXattr(tree, "f", "user.a=b", "1"));
  await expect(readDiff(plain)).rejects.toMatchObject({
    code: "Unsupported",
    message: expect.stringContaining('the extended attribute "user.a=b" of "f"'),
  });
});
