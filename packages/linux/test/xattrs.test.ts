import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  getxattr,
  getxattrat,
  listxattr,
  listxattrat,
  mkdirat,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  openat,
  removexattr,
  removexattrat,
  setxattr,
  setxattrat,
} from "@strata/linux";
import { beforeEach, describe, expect, it } from "vitest";
import { asRoot, useScratch, using } from "./support.ts";

const scratch = useScratch();
const odd = Buffer.from([0xff, 0x0a, 0x66]);
const value = Buffer.from("01000002c0000000000000000000000000000000", "hex");

beforeEach(() => {
  writeFileSync(join(scratch.path, "file"), "");
  writeFileSync(Buffer.concat([Buffer.from(`${scratch.path}/`), odd]), "");
  symlinkSync("file", join(scratch.path, "link"));
});

describe.each([
  ["an open file", O_RDONLY],
  ["an O_PATH descriptor", O_PATH],
])("of %s", (_, flags) => {
  it("are set, read, listed and removed", () => {
    using(openat(scratch.fd, "file", flags), (fd) => {
      setxattr(fd, "user.empty", Buffer.alloc(0));
      setxattr(fd, Buffer.from("user.\xff", "latin1"), value);
      expect(listxattr(fd).sort(Buffer.compare)).toEqual([
        Buffer.from("user.empty"),
        Buffer.from("user.\xff", "latin1"),
      ]);
      expect(getxattr(fd, "user.empty")).toEqual(Buffer.alloc(0));
      expect(getxattr(fd, Buffer.from("user.\xff", "latin1"))).toEqual(value);
      removexattr(fd, "user.empty");
      expect(getxattr(fd, "user.empty")).toBeUndefined();
      expect(() => removexattr(fd, "user.empty")).toThrow(
        expect.objectContaining({ code: "ENODATA", path: "user.empty" }),
      );
    });
  });
});

describe("by directory and name", () => {
  it("are set, read, listed and removed", () => {
    mkdirat(scratch.fd, "dir", 0o755);
    for (const name of ["file", odd, "dir", "dir/../file"]) {
      setxattrat(scratch.fd, name, "user.a", value);
      expect(listxattrat(scratch.fd, name)).toEqual([Buffer.from("user.a")]);
      expect(getxattrat(scratch.fd, name, "user.a")).toEqual(value);
      expect(getxattrat(scratch.fd, name, "user.b")).toBeUndefined();
      removexattrat(scratch.fd, name, "user.a");
      expect(listxattrat(scratch.fd, name)).toEqual([]);
    }
  });

  asRoot("sit on a symlink itself", () => {
    setxattrat(scratch.fd, "link", "trusted.mine", value);
    expect(getxattrat(scratch.fd, "link", "trusted.mine")).toEqual(value);
    expect(listxattrat(scratch.fd, "link")).toEqual([Buffer.from("trusted.mine")]);
    expect(listxattrat(scratch.fd, "file")).toEqual([]);
    using(openat(scratch.fd, "link", O_PATH | O_NOFOLLOW), (fd) => {
      expect(getxattr(fd, "trusted.mine")).toEqual(value);
      removexattr(fd, "trusted.mine");
    });
    expect(listxattrat(scratch.fd, "link")).toEqual([]);
  });
});

it("fail with the kernel's reason", () => {
  expect(() => getxattrat(scratch.fd, "none", "user.a")).toThrow(expect.objectContaining({ code: "ENOENT" }));
  expect(() => listxattr(1_000_000)).toThrow(expect.objectContaining({ code: "EBADF" }));
  expect(() => setxattrat(scratch.fd, "file", "nonsense.a", value)).toThrow(
    expect.objectContaining({ code: "ENOTSUP" }),
  );
});
