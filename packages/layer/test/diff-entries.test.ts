import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  AT_FDCWD,
  close,
  mkdirat,
  mknodat,
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_WRONLY,
  openat,
  removexattrat,
  S_IFSOCK,
  setxattrat,
  statxOrUndefined,
  unlinkat as unlink,
} from "@strata/linux";
import { expect } from "vitest";
import { agree, listChanges, makeLayouts, names, readDiff, useScratch } from "./layouts.ts";
import { asRoot } from "./overlay-mount.ts";
import { readTar } from "./read-tar.ts";
import { agreeAndApply } from "./round-trip.ts";

const scratch = useScratch();

function withDirectory(path: string, action: (fd: number) => void): void {
  const fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  try {
    action(fd);
  } finally {
    close(fd);
  }
}

function touch(directory: number, name: Buffer): void {
  close(openat(directory, name, O_WRONLY | O_CREAT, 0o644));
}

function setXattr(tree: string, name: string, attribute: string, value: string | Buffer): void {
  withDirectory(tree, (fd) => setxattrat(fd, name, attribute, Buffer.from(value)));
}

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

asRoot("non-UTF8-and-255-byte-names", async () => {
  const latin = Buffer.from("caf\xe9", "latin1");
  const long = Buffer.alloc(255, "n");
  const base = (tree: string) =>
    withDirectory(tree, (fd) => {
      touch(fd, Buffer.from("deleted \xff", "latin1"));
      mkdirat(fd, latin, 0o755);
    });
  const { entries } = await agreeAndApply(scratch, base, (tree) =>
    withDirectory(tree, (fd) => {
      const inner = openat(fd, latin, O_RDONLY | O_DIRECTORY);
      for (const name of [long, Buffer.from("\n"), Buffer.from("unicode ü 字"), Buffer.from("\x01\x7f\\")]) {
        touch(inner, name);
      }
      close(inner);
      symlinkSync(Buffer.from("to \xfe", "latin1"), join(tree, "link"));
      unlink(fd, Buffer.from("deleted \xff", "latin1"));
    }),
  );
  expect(entries.map(({ path }) => Buffer.from(path, "latin1"))).toEqual([
    Buffer.from("./"),
    Buffer.from(".wh.deleted \xff", "latin1"),
    ...["", "\x01\x7f\\", "\n", long.toString(), Buffer.from("unicode ü 字").toString("latin1")].map((name) =>
      Buffer.from(`caf\xe9/${name}`, "latin1"),
    ),
    Buffer.from("link"),
  ]);
  expect(entries.at(-1)?.link).toBe("to \xfe");
  const records = entries.map(({ pax }) => Object.keys(pax).filter((keyword) => keyword !== "mtime"));
  expect(records, "what is not ASCII is in PAX records").toEqual([
    [],
    ...Array.from({ length: 6 }, () => ["path"]),
    ["linkpath"],
  ]);
});

asRoot("a name of 100 bytes is in the header, one of 101 in a PAX record", async () => {
  const [fits, long] = ["f".repeat(100), "l".repeat(101)];
  const change = `touch ${fits} ${long}; ln -s ${fits} a; ln -s ${long} b; touch -hd @5 *`;
  const { entries } = await agreeAndApply(scratch, "true", change);
  const [, a, b, file, longFile] = entries;
  expect([a?.link, a?.pax]).toEqual([fits, {}]);
  expect([b?.link, b?.pax]).toEqual([long, { linkpath: long }]);
  expect([file?.path, file?.pax]).toEqual([fits, {}]);
  expect([longFile?.path, longFile?.pax]).toEqual([long, { path: long }]);
});

asRoot("the length of a PAX record counts its own digits", async () => {
  const lengths = Array.from({ length: 12 }, (_, index) => 980 + index);
  const { entries } = await agreeAndApply(scratch, "true", (tree) => {
    for (const length of lengths) symlinkSync("t".repeat(length), join(tree, `${length}`));
  });
  expect(entries.slice(1).map(({ link }) => link.length)).toEqual(lengths);
});

asRoot("ns-mtime, and times before 1970 and after 2242", async () => {
  const times = {
    whole: "1000",
    ns: "1000.000000001",
    tenth: "1000.1",
    epoch: "0",
    "before-1970": "-1",
    "before-1970-ns": "-1.5",
    "just-before": "-0.000000001",
    "after-2242": "8589934592",
  };
  const script = Object.entries(times).map(([name, time]) => `touch -d @${time} ./${name}`);
  const { entries } = await agreeAndApply(scratch, "true", script.join("\n"));
  const found = entries.slice(1).map(({ path, mtime }) => [path, mtime]);
  expect(Object.fromEntries(found)).toEqual(times);
  expect(entries.filter(({ pax }) => "mtime" in pax)).toHaveLength(7);
});

asRoot("a time that differs by one nanosecond is a change", async () => {
  const agreed = await agreeAndApply(scratch, "mkdir d; touch -d @-5.000000001 d/f", "touch -d @-5 d/f");
  expect(agreed.changes).toEqual(["C d", "C d/f"]);
});

asRoot("big ids are PAX records", async () => {
  const { entries } = await agreeAndApply(
    scratch,
    "true",
    "touch -d @5 a b; chown 2097151:2097152 a; chown 4294967294:0 b",
  );
  const [, a, b] = entries;
  expect(a).toMatchObject({ uid: 2097151, gid: 2097152, pax: { gid: "2097152" } });
  expect(b).toMatchObject({ uid: 4294967294, gid: 0, pax: { uid: "4294967294" } });
});

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

asRoot("sockets-ignored: a socket is taken as not there, before and after", async () => {
  const socket = (tree: string, name: string) =>
    withDirectory(tree, (fd) => mknodat(fd, name, S_IFSOCK | 0o755, { major: 0, minor: 0 }));
  const base = (tree: string) => {
    socket(tree, "old");
    socket(tree, "now-a-file");
    writeFileSync(join(tree, "was-a-file"), "");
  };
  const agreed = await agree(scratch, base, (tree) => {
    withDirectory(tree, (fd) => {
      for (const name of ["old", "now-a-file", "was-a-file"]) unlink(fd, Buffer.from(name));
    });
    writeFileSync(join(tree, "now-a-file"), "");
    socket(tree, "was-a-file");
    socket(tree, "new");
  });
  expect(agreed.changes).toEqual(["C .", "A now-a-file", "D was-a-file"]);
  expect(names(agreed.entries)).toEqual(["./", ".wh.was-a-file", "now-a-file"]);
});

asRoot("fifo-and-devices keep their numbers", async () => {
  const { entries } = await agreeAndApply(scratch, "true", "mknod c c 4095 1048575; mknod b b 7 1; mkfifo p");
  expect(entries.map(({ path, type, device }) => [path, type, device])).toEqual([
    ["./", "dir", "0:0"],
    ["b", "block", "7:1"],
    ["c", "char", "4095:1048575"],
    ["p", "fifo", "0:0"],
  ]);
});

asRoot("sparse-file: holes are zeros", async () => {
  const { entries } = await agreeAndApply(
    scratch,
    "true",
    "truncate -s 3M f; echo end | dd of=f conv=notrunc bs=1M seek=2 status=none",
  );
  const content = entries[1]?.content ?? Buffer.alloc(0);
  expect(content.length).toBe(3 * 2 ** 20);
  expect(
    content.equals(Buffer.concat([Buffer.alloc(2 ** 21), Buffer.from("end\n"), Buffer.alloc(2 ** 20 - 4)])),
  ).toBe(true);
});

asRoot("10k-entry-directory", async () => {
  const agreed = await agree(scratch, "mkdir d; (cd d; touch {0..9999})", "rm d/7?7; touch d/x{0..99}");
  const deleted = agreed.changes.filter((line) => line.startsWith("D"));
  const added = agreed.changes.filter((line) => line.startsWith("A"));
  expect([deleted.length, added.length, agreed.changes.length]).toEqual([10, 100, 112]);
});

asRoot("paths longer than PATH_MAX, deeper than any recursion", async () => {
  const deep = (tree: string, name: string, levels: number, file: string) => {
    let fd = openat(AT_FDCWD, tree, O_RDONLY | O_DIRECTORY);
    for (let level = 0; level < levels; level++) {
      if (statxOrUndefined(fd, name) === undefined) mkdirat(fd, name, 0o755);
      const next = openat(fd, name, O_RDONLY | O_DIRECTORY);
      close(fd);
      fd = next;
    }
    touch(fd, Buffer.from(file));
    close(fd);
  };
  const long = "d".repeat(250);
  const agreed = await agree(
    scratch,
    (tree) => deep(tree, long, 20, "old"),
    (tree) => {
      deep(tree, long, 20, "new");
      deep(tree, "e", 2000, "new");
    },
  );
  expect(agreed.changes).toHaveLength(1 + 20 + 1 + 2000 + 1);
  expect(agreed.changes).toContain(`A ${`${long}/`.repeat(20)}new`);
  expect(agreed.changes.at(-1)).toBe(`A ${"e/".repeat(2000)}new`);
  expect(agreed.entries.at(-1)?.path).toBe(`${"e/".repeat(2000)}new`);
});

asRoot("a file named like a whiteout is refused, since its layer would delete another file", async () => {
  const { overlay, plain } = makeLayouts(scratch, "mkdir d", "echo > d/.wh.x");
  for (const layout of [overlay, plain]) {
    await expect(readDiff(layout)).rejects.toMatchObject({
      code: "Unsupported",
      message: expect.stringContaining('"/d/.wh.x" cannot be stored in a layer'),
    });
    expect(await listChanges(layout)).toEqual(["C .", "C d", "A d/.wh.x"]);
  }
});

asRoot("an attribute with = in its name is refused, since PAX would cut the name there", async () => {
  const { plain } = makeLayouts(scratch, "touch f", (tree) => setXattr(tree, "f", "user.a=b", "1"));
  await expect(readDiff(plain)).rejects.toMatchObject({
    code: "Unsupported",
    message: expect.stringContaining('the extended attribute "user.a=b" of "f"'),
  });
});

asRoot("the archive ends with two blocks of zeros, and one of no change is nothing else", async () => {
  const { bytes } = await agreeAndApply(scratch, "true", "true");
  expect(bytes.equals(Buffer.alloc(1024))).toBe(true);
  expect(readTar(bytes)).toEqual([]);
});
