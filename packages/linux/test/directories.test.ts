import { closeSync, mkdirSync, openSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DT_DIR,
  DT_FIFO,
  DT_LNK,
  DT_REG,
  mkdirat,
  mknodat,
  O_PATH,
  openat,
  readdir,
  S_IFIFO,
  statx,
  symlinkat,
  umask,
} from "@strata/linux";
import { expect, it } from "vitest";
import { useScratch, using } from "./support.ts";

const scratch = useScratch();

it("tells names as bytes, types and inodes, without . and ..", () => {
  const odd = Buffer.from([0x2e, 0x2e, 0xff]);
  mkdirat(scratch.fd, "dir", 0o755);
  symlinkat("x", scratch.fd, odd);
  mknodat(scratch.fd, "...", S_IFIFO | 0o600, { major: 0, minor: 0 });
  writeFileSync(join(scratch.path, ".f"), "");
  const entries = readdir(scratch.fd).sort((a, b) => Buffer.compare(a.name, b.name));
  expect(entries.map(({ name, type }) => [name, type])).toEqual([
    [Buffer.from("..."), DT_FIFO],
    [odd, DT_LNK],
    [Buffer.from(".f"), DT_REG],
    [Buffer.from("dir"), DT_DIR],
  ]);
  for (const { name, ino } of entries) expect(ino).toBe(statx(scratch.fd, name).ino);
});

it("reads from the start each time", () => {
  writeFileSync(join(scratch.path, "a"), "");
  expect(readdir(scratch.fd)).toHaveLength(1);
  writeFileSync(join(scratch.path, "b"), "");
  expect(readdir(scratch.fd)).toHaveLength(2);
});

it("reads directories larger than its buffer", () => {
  mkdirSync(join(scratch.path, "large"));
  const names = Array.from({ length: 10_000 }, (_, i) => `entry-with-a-rather-long-name-${i}`);
  for (const name of names) closeSync(openSync(join(scratch.path, "large", name), "w"));
  using(openat(scratch.fd, "large", 0), (fd) => {
    const read = readdir(fd).map(({ name }) => name.toString());
    expect(read.toSorted()).toEqual(names.toSorted());
  });
});

it("does not read what is no directory, or not open for reading", () => {
  writeFileSync(join(scratch.path, "file"), "");
  using(openat(scratch.fd, "file", 0), (fd) => {
    expect(() => readdir(fd)).toThrow(expect.objectContaining({ code: "ENOTDIR", syscall: "getdents64" }));
  });
  using(openat(scratch.fd, ".", O_PATH), (fd) => {
    expect(() => readdir(fd)).toThrow(expect.objectContaining({ code: "EBADF" }));
  });
});

it("makes directories under the process's umask, which can be set", () => {
  const before = umask(0);
  try {
    mkdirat(scratch.fd, "open", 0o777);
    expect(statx(scratch.fd, "open").mode & 0o7777).toBe(0o777);
    expect(umask(0o027)).toBe(0);
    mkdirat(scratch.fd, "closed", 0o777);
    expect(statx(scratch.fd, "closed").mode & 0o7777).toBe(0o750);
  } finally {
    umask(before);
  }
  expect(readdirSync(scratch.path)).toHaveLength(2);
});
