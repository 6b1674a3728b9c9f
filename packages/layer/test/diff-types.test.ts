import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mknodat, S_IFSOCK, unlinkat as unlink } from "@strata/linux";
import { expect } from "vitest";
import { agree, listChanges, makeLayouts, names, readDiff, useScratch } from "./layouts.ts";
import { asRoot } from "./overlay-mount.ts";
import { readTar } from "./read-tar.ts";
import { agreeAndApply } from "./round-trip.ts";
import { withDirectory } from "./tree-edits.ts";

const scratch = useScratch();

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

asRoot("the archive ends with two blocks of zeros, and one of no change is nothing else", async () => {
  const { bytes } = await agreeAndApply(scratch, "true", "true");
  expect(bytes.equals(Buffer.alloc(1024))).toBe(true);
  expect(readTar(bytes)).toEqual([]);
});
