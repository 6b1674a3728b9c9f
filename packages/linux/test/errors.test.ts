import { openSync } from "node:fs";
import { AT_FDCWD, close, openat, renameat2, SystemError } from "@strata/linux";
import { expect, it } from "vitest";

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

it("has the fields of Node's own errors, with Node's values", () => {
  const theirs = thrownBy(() => openSync("/nowhere/file", "r"));
  const ours = thrownBy(() => openat(AT_FDCWD, "/nowhere/file", 0));
  expect(ours).toBeInstanceOf(Error);
  expect(theirs).toMatchObject({ code: "ENOENT", errno: -2, syscall: "open", path: "/nowhere/file" });
  expect(ours).toMatchObject({ code: "ENOENT", errno: -2, syscall: "openat", path: "/nowhere/file" });
  expect(ours).not.toHaveProperty("dest");
  expect(String(ours)).toBe("SystemError: ENOENT: no such file or directory, openat '/nowhere/file'");
});

it("names both paths", () => {
  const error = thrownBy(() => renameat2(AT_FDCWD, "/nowhere/a", AT_FDCWD, Buffer.from("/nowhere/b")));
  expect(error).toMatchObject({ path: "/nowhere/a", dest: "/nowhere/b" });
  expect(String(error)).toContain("renameat2 '/nowhere/a' -> '/nowhere/b'");
});

it("leaves the path out where there is none", () => {
  expect(thrownBy(() => close(-1))).not.toHaveProperty("path");
});

it.each([
  [2, "ENOENT"],
  [95, "ENOTSUP"],
  [117, "EUCLEAN"],
  [122, "EDQUOT"],
  [9999, "E9999"],
])("names errno %i %s", (errno, code) => {
  expect(new SystemError(errno, "test")).toMatchObject({ code, errno: -errno });
});

it.each(["a\0b", Buffer.from("a\0b")])("refuses a NUL in a name as a programmer's mistake", (name) => {
  expect(() => openat(AT_FDCWD, name, 0)).toThrow(TypeError);
});

it("leaves a path that is too long to the kernel", () => {
  expect(() => openat(AT_FDCWD, "x/".repeat(4000), 0)).toThrow(
    expect.objectContaining({ code: "ENAMETOOLONG" }),
  );
});
