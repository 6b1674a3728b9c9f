import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CompareTreesOptions, compareTrees } from "@strata/layer";
import {
  AT_FDCWD,
  close,
  mkdirat,
  O_DIRECTORY,
  O_RDONLY,
  openat,
  setxattrat,
  statxOrUndefined,
} from "@strata/linux";
import { expect, it } from "vitest";
import { type Edit, edit, settleTimes, useScratch } from "./layouts.ts";
import { asRoot } from "./overlay-mount.ts";

const scratch = useScratch();

async function differences(base: Edit, change: Edit, options?: CompareTreesOptions): Promise<string[]> {
  const [a, b] = [scratch.directory("a"), scratch.directory("b")];
  for (const tree of [a, b]) {
    edit(tree, base);
    settleTimes(tree, { sec: 5, nsec: 0 });
  }
  edit(b, change);
  settleTimes(b, { sec: 5, nsec: 0 });
  const lines: string[] = [];
  for await (const { path, what } of compareTrees(a, b, options))
    lines.push(`${path.toString("latin1")}: ${what}`);
  return lines;
}

const setXattr = (name: string, attribute: string, value: string) => (tree: string) =>
  setxattrat(AT_FDCWD, join(tree, name), attribute, Buffer.from(value, "latin1"));

it("equal trees have no differences", async () => {
  const base = "mkdir -p d/e; echo 1 > d/f; ln d/f d/e/g; ln -s f d/l; mkfifo p; printf x > $'\\xff\\n'";
  expect(await differences(base, "true")).toEqual([]);
});

interface Case {
  readonly title: string;
  readonly base?: string;
  readonly change: Edit;
  readonly differences: string[];
}

const cases: Case[] = [
  {
    title: "a name in one tree only",
    change: "rm f; mkdir new; touch new/x",
    differences: ["f: only in the first tree", "new: only in the second tree"],
  },
  { title: "type", change: "rm f; mkdir f; touch f/x", differences: ["f: file, directory"] },
  {
    title: "mode",
    change: "chmod 4755 f; chmod 1777 .",
    differences: [": mode 0755, 1777", "f: mode 0644, 4755"],
  },
  { title: "size", change: "echo more >> f", differences: ["f: size 2, 7 bytes"] },
  {
    title: "mtime, in nanoseconds",
    change: "touch -d @-1.5 f",
    differences: ["f: mtime 5.000000000, -2.500000000"],
  },
  {
    title: "content",
    base: "head -c 300000 /dev/zero > f",
    change: "printf x | dd of=f bs=1 seek=299999 conv=notrunc status=none",
    differences: ["f: content, from byte 299999"],
  },
  {
    title: "link target",
    base: "ln -s a l",
    change: "rm l; ln -s b l",
    differences: ['l: link target "a", "b"'],
  },
  {
    title: "names that are not text",
    base: "printf x > $'\\xff'",
    change: "chmod 600 $'\\xff'",
    differences: ["\xff: mode 0644, 0600"],
  },
  {
    title: "hardlinks",
    base: "echo 1 > f; ln f g; echo 1 > h",
    change: "rm g; ln h g",
    differences: [
      'f: hardlinks "/f" = "/g", none',
      'g: hardlinks "/f" = "/g", "/g" = "/h"',
      'h: hardlinks none, "/g" = "/h"',
    ],
  },
  { title: "xattr", change: setXattr("f", "user.a", "\xff"), differences: ["f: xattr user.a none, 0xff"] },
];

for (const { title, base = "echo 1 > f", change, ...expected } of cases) {
  it(`reports ${title}`, async () => {
    expect(await differences(base, change)).toEqual(expected.differences);
  });
}

asRoot("reports owner and device number", async () => {
  const change = "chown -h 1:2 l; rm c; mknod c c 1 5";
  expect(await differences("ln -s a l; mknod c c 1 3", change)).toEqual([
    "c: device 1:3, 1:5",
    "l: uid 0, 1",
    "l: gid 0, 2",
  ]);
});

asRoot("reports every attribute as it is on disk: security.*, trusted.overlay.*, on links too", async () => {
  const change = (tree: string) => {
    setXattr("d", "trusted.overlay.opaque", "y")(tree);
    setXattr("d", "security.selinux", "label")(tree);
    setXattr("l", "trusted.a", "")(tree);
  };
  expect(await differences("mkdir d; ln -s x l", change)).toEqual([
    'd: xattr security.selinux none, "label"',
    'd: xattr trusted.overlay.opaque none, "y"',
    'l: xattr trusted.a none, ""',
  ]);
});

it("leaves out what it is told to", async () => {
  const change = (tree: string) => {
    edit(tree, "chmod 600 f; touch -d @7 f; cp f g; mv g f; chmod 644 x");
    for (const name of ["user.keep", "user.drop.one", "user.drop.two", "user.only"])
      setXattr("f", name, "")(tree);
    writeFileSync(join(tree, "x"), "2");
  };
  const base = "echo 1 > f; ln f h; printf 1 > x";
  const ignore = ["mode", "mtime", "hardlinks", "content", "user.only", "user.drop.*"] as const;
  expect(await differences(base, change, { ignore })).toEqual(['f: xattr user.keep none, ""']);
});

it("goes deeper than PATH_MAX and any recursion", async () => {
  const dig = (file: string) => (tree: string) => {
    let fd = openat(AT_FDCWD, tree, O_RDONLY | O_DIRECTORY);
    for (let level = 0; level < 2000; level++) {
      if (statxOrUndefined(fd, "d") === undefined) mkdirat(fd, "d", 0o755);
      const next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
      close(fd);
      fd = next;
    }
    mkdirat(fd, file, 0o755);
    close(fd);
  };
  const bottom = "d/".repeat(2000);
  expect(await differences(dig("same"), dig("new"))).toEqual([`${bottom}new: only in the second tree`]);
});

it("a tree that cannot be read is an error that names it", async () => {
  const read = compareTrees(scratch.path, join(scratch.path, "nowhere")).next();
  await expect(read).rejects.toMatchObject({ code: "NotFound", message: expect.stringContaining("nowhere") });
});

it("an abort ends it with the signal's reason", async () => {
  for (const tree of ["a", "b"]) mkdirSync(join(scratch.path, tree, "d"), { recursive: true });
  appendFileSync(join(scratch.path, "a", "d", "f"), "");
  const reason = new Error("enough");
  const read = compareTrees(join(scratch.path, "a"), join(scratch.path, "b"), {
    signal: AbortSignal.abort(reason),
  });
  await expect(read.next()).rejects.toBe(reason);
});
