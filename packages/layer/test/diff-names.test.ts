import { symlinkSync } from "node:fs";
import { join } from "node:path";
import {
  AT_FDCWD,
  close,
  mkdirat,
  O_DIRECTORY,
  O_RDONLY,
  openat,
  statxOrUndefined,
  unlinkat as unlink,
} from "@strata/linux";
import { expect } from "vitest";
import { agree, useScratch } from "./layouts.ts";
import { asRoot } from "./overlay-mount.ts";
import { agreeAndApply } from "./round-trip.ts";
import { touch, withDirectory } from "./tree-edits.ts";

const scratch = useScratch();

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
