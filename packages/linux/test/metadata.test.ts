import { lstatSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  fchmod,
  fchmodat,
  fchown,
  fchownat,
  fstatx,
  futimens,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  openat,
  S_IFMT,
  S_IFREG,
  type Stat,
  statx,
  statxOrUndefined,
  utimensat,
} from "@strata/linux";
import { beforeEach, describe, expect, it } from "vitest";
import { asRoot, useScratch, using } from "./support.ts";

const scratch = useScratch();
let file = "";

beforeEach(() => {
  file = join(scratch.path, "file");
  writeFileSync(file, "x".repeat(5000), { mode: 0o644 });
  symlinkSync("file", join(scratch.path, "link"));
});

const permissions = (stat: Stat) => stat.mode & 0o7777;

describe("statx", () => {
  it("agrees with Node's lstat", () => {
    for (const name of ["file", "link", "."]) {
      const theirs = lstatSync(join(scratch.path, name), { bigint: true });
      const ours = statx(scratch.fd, name);
      const nanoseconds = ({ sec, nsec }: Stat["mtime"]) => BigInt(sec) * 1_000_000_000n + BigInt(nsec);
      expect({
        mode: BigInt(ours.mode),
        uid: BigInt(ours.uid),
        gid: BigInt(ours.gid),
        nlink: BigInt(ours.nlink),
        size: BigInt(ours.size),
        blocks: BigInt(ours.blocks),
        ino: ours.ino,
        dev: BigInt(ours.dev.major * 256 + ours.dev.minor),
        atimeNs: nanoseconds(ours.atime),
        mtimeNs: nanoseconds(ours.mtime),
        ctimeNs: nanoseconds(ours.ctime),
      }).toEqual({
        mode: theirs.mode,
        uid: theirs.uid,
        gid: theirs.gid,
        nlink: theirs.nlink,
        size: theirs.size,
        blocks: theirs.blocks,
        ino: theirs.ino,
        dev: theirs.dev,
        atimeNs: theirs.atimeNs,
        mtimeNs: theirs.mtimeNs,
        ctimeNs: theirs.ctimeNs,
      });
      if (ours.btime !== undefined) expect(nanoseconds(ours.btime)).toBe(theirs.birthtimeNs);
    }
  });

  it("follows a link only when told to", () => {
    expect(statx(scratch.fd, "link").ino).not.toBe(statx(scratch.fd, "file").ino);
    expect(statx(scratch.fd, "link", 0).ino).toBe(statx(scratch.fd, "file").ino);
    expect(statx(scratch.fd, "link", 0).mode & S_IFMT).toBe(S_IFREG);
  });

  it("knows sizes beyond 4 GiB", () => {
    truncateSync(file, 5 * 2 ** 40 + 3);
    expect(statx(scratch.fd, "file").size).toBe(5 * 2 ** 40 + 3);
  });

  it("knows devices and the roots of mounts", () => {
    expect(statx(AT_FDCWD, "/dev/null").rdev).toEqual({ major: 1, minor: 3 });
    expect(statx(AT_FDCWD, "/proc").mountRoot).toBe(true);
    expect(statx(scratch.fd, "file").mountRoot).toBe(false);
  });

  it("is undefined, where asked so, only for what does not exist", () => {
    expect(statxOrUndefined(scratch.fd, "file")?.size).toBe(5000);
    expect(statxOrUndefined(scratch.fd, "none")).toBeUndefined();
    expect(statxOrUndefined(scratch.fd, "file/below")).toBeUndefined();
    expect(() => statxOrUndefined(scratch.fd, "x".repeat(300))).toThrow(
      expect.objectContaining({ code: "ENAMETOOLONG", syscall: "statx" }),
    );
  });
});

describe("times", () => {
  it.each([
    { sec: 1_700_000_000, nsec: 123_456_789 },
    { sec: 0, nsec: 0 },
    { sec: -1, nsec: 999_999_999 },
    { sec: -2_000_000_000, nsec: 1 },
    { sec: 2 ** 32 + 5, nsec: 5 },
  ])("are kept to the nanosecond: $sec s and $nsec ns", (mtime) => {
    using(openat(scratch.fd, "file", O_WRONLY), (fd) => {
      futimens(fd, mtime);
      expect(fstatx(fd)).toMatchObject({ mtime, atime: mtime });
    });
    utimensat(scratch.fd, "link", mtime);
    expect(statx(scratch.fd, "link").mtime).toEqual(mtime);
    using(openat(scratch.fd, "link", O_PATH | O_NOFOLLOW), (fd) => {
      const later = { sec: mtime.sec, nsec: 2 };
      utimensat(fd, "", later, AT_EMPTY_PATH);
      expect(fstatx(fd).mtime).toEqual(later);
    });
  });

  it("of a link's target are left alone", () => {
    const before = statSync(file).mtimeMs;
    utimensat(scratch.fd, "link", { sec: 1, nsec: 0 });
    expect(statSync(file).mtimeMs).toBe(before);
  });
});

describe("permissions", () => {
  it("are set by descriptor, O_PATH too", () => {
    for (const [flags, mode] of [
      [O_RDONLY, 0o600],
      [O_PATH, 0o4711],
    ] as const) {
      using(openat(scratch.fd, "file", flags), (fd) => {
        fchmod(fd, mode);
        expect(permissions(fstatx(fd))).toBe(mode);
      });
    }
  });

  it("are set by name, closed files too", () => {
    for (const mode of [0, 0o1777]) {
      fchmodat(scratch.fd, "file", mode);
      expect(permissions(statx(scratch.fd, "file"))).toBe(mode);
    }
  });

  it("never follow a link", () => {
    expect(() => fchmodat(scratch.fd, "link", 0o600)).toThrow(
      expect.objectContaining({ code: "ENOTSUP", path: "link" }),
    );
    expect(permissions(statx(scratch.fd, "file"))).toBe(0o644);
  });

  it("of a closed descriptor are an error that says so", () => {
    expect(() => fchmod(1_000_000, 0o600)).toThrow(
      expect.objectContaining({ code: "EBADF", syscall: "fchmod" }),
    );
  });
});

describe("owners", () => {
  asRoot("are set by descriptor and by name, of a link itself", () => {
    using(openat(scratch.fd, "file", O_RDONLY), (fd) => fchown(fd, 1, 2));
    fchownat(scratch.fd, "link", 3, 4_000_000_000);
    expect(statx(scratch.fd, "file")).toMatchObject({ uid: 1, gid: 2 });
    expect(statx(scratch.fd, "link")).toMatchObject({ uid: 3, gid: 4_000_000_000 });
  });

  asRoot("are set through an O_PATH descriptor", () => {
    using(openat(scratch.fd, "file", O_PATH), (fd) => fchownat(fd, "", 7, 8, AT_EMPTY_PATH));
    expect(statx(scratch.fd, "file")).toMatchObject({ uid: 7, gid: 8 });
  });
});
