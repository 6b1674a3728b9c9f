import { fstatSync, readFileSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  close,
  fstatx,
  linkat,
  mkdirat,
  mknodat,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_WRONLY,
  openat,
  openat2,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_SYMLINKS,
  readlinkat,
  renameat2,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFMT,
  S_IFSOCK,
  statx,
  statxOrUndefined,
  symlinkat,
  unlinkat,
} from "@strata/linux";
import { describe, expect, it } from "vitest";
import { asRoot, useScratch, using } from "./support.ts";

const scratch = useScratch();

function create(name: Buffer | string, content = ""): void {
  using(openat(scratch.fd, name, O_WRONLY | O_CREAT | O_EXCL, 0o644), (fd) => writeSync(fd, content));
}

describe("openat", () => {
  it("makes a file by descriptor and name, with the mode", () => {
    create("file", "hello");
    expect(readFileSync(join(scratch.path, "file"), "utf8")).toBe("hello");
    expect(() => create("file")).toThrow(expect.objectContaining({ code: "EEXIST", path: "file" }));
  });

  it("takes names that are not UTF-8, and names with newlines", () => {
    for (const name of [Buffer.from([0xff, 0xfe, 0x41]), Buffer.from("new\nline"), Buffer.alloc(255, 0x80)]) {
      create(name, "x");
      expect(readFileSync(Buffer.concat([Buffer.from(`${scratch.path}/`), name]), "utf8")).toBe("x");
    }
  });

  it("takes a string for its UTF-8 bytes", () => {
    create("naïve-名");
    expect(statx(scratch.fd, Buffer.from("naïve-名")).size).toBe(0);
  });

  it("sets close-on-exec", () => {
    using(openat(scratch.fd, ".", O_RDONLY), (fd) => {
      const flags = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
      expect(Number.parseInt(flags ?? "0", 8) & 0o2000000).not.toBe(0);
    });
  });

  it("makes a file without a name, to be given one later", () => {
    using(openat(scratch.fd, ".", O_TMPFILE | O_RDWR, 0o600), (fd) => {
      expect(fstatx(fd).nlink).toBe(0);
      linkat(AT_FDCWD, `/proc/self/fd/${fd}`, scratch.fd, "named", 0x400);
      expect(fstatx(fd).nlink).toBe(1);
    });
  });
});

describe("openat2", () => {
  it("resolves absolute paths, links and .. inside the root", () => {
    mkdirat(scratch.fd, "etc", 0o755);
    create("etc/passwd", "inside");
    symlinkat("/etc", scratch.fd, "absolute");
    symlinkat("../../../../etc", scratch.fd, "relative");
    for (const path of ["/etc/passwd", "absolute/passwd", "relative/passwd", "../../etc/passwd"]) {
      using(openat2(scratch.fd, path, { flags: O_RDONLY, resolve: RESOLVE_IN_ROOT }), (fd) => {
        expect(readFileSync(fd, "utf8")).toBe("inside");
      });
    }
  });

  it("refuses what leaves the directory", () => {
    symlinkat("/etc", scratch.fd, "out");
    for (const path of ["..", "out/passwd", "/etc/passwd"]) {
      expect(() => openat2(scratch.fd, path, { flags: O_RDONLY, resolve: RESOLVE_BENEATH })).toThrow(
        expect.objectContaining({ code: "EXDEV", syscall: "openat2", path }),
      );
    }
    expect(() => openat2(scratch.fd, "out", { flags: O_PATH, resolve: RESOLVE_NO_SYMLINKS })).toThrow(
      expect.objectContaining({ code: "ELOOP" }),
    );
  });

  it("makes files with the mode", () => {
    const how = { flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o640, resolve: RESOLVE_IN_ROOT };
    using(openat2(scratch.fd, "/new", how), (fd) => expect(fstatSync(fd).mode & 0o777).toBe(0o640));
  });

  it("tries again while a race keeps the kernel from telling", async () => {
    // Any rename while `..` is being resolved makes the kernel answer EAGAIN now and then.
    for (const name of ["a", "b", "c"]) mkdirat(scratch.fd, name, 0o755);
    const swapper = new Worker(
      `const { parentPort, workerData } = require("node:worker_threads");
       import("@strata/linux").then(({ renameat2 }) => {
         parentPort.postMessage("ready");
         for (;;) renameat2(workerData, "b", workerData, "c", 2);
       });`,
      { eval: true, workerData: scratch.fd },
    );
    await new Promise((resolve) => swapper.once("message", resolve));
    try {
      for (let round = 0; round < 20_000; round++) {
        close(openat2(scratch.fd, "a/../a", { flags: O_PATH, resolve: RESOLVE_IN_ROOT }));
      }
    } finally {
      await swapper.terminate();
    }
  });
});

describe("names", () => {
  it("links a symlink itself", () => {
    symlinkat("nowhere", scratch.fd, "link");
    linkat(scratch.fd, "link", scratch.fd, "again");
    expect(readlinkat(scratch.fd, "again").toString()).toBe("nowhere");
    expect(statx(scratch.fd, "link")).toMatchObject({ nlink: 2, ino: statx(scratch.fd, "again").ino });
  });

  it("keeps a link's target as bytes, up to the longest", () => {
    for (const target of [Buffer.from([0x2f, 0xff, 0x0a]), Buffer.alloc(4095, 0x61)]) {
      symlinkat(target, scratch.fd, "link");
      expect(readlinkat(scratch.fd, "link")).toEqual(target);
      unlinkat(scratch.fd, "link");
    }
  });

  it("reads the link that an O_PATH descriptor is", () => {
    symlinkSync("target", join(scratch.path, "link"));
    using(openat(scratch.fd, "link", O_PATH | O_NOFOLLOW), (fd) => {
      expect(readlinkat(fd, "").toString()).toBe("target");
      expect(statx(fd, "", AT_EMPTY_PATH)).toEqual(fstatx(fd));
    });
  });

  it("removes files and, asked to, directories", () => {
    create("file");
    mkdirat(scratch.fd, "dir", 0o755);
    unlinkat(scratch.fd, "file");
    expect(() => unlinkat(scratch.fd, "dir")).toThrow(expect.objectContaining({ code: "EISDIR" }));
    unlinkat(scratch.fd, "dir", AT_REMOVEDIR);
    expect(statxOrUndefined(scratch.fd, "file")).toBeUndefined();
    expect(statxOrUndefined(scratch.fd, "dir")).toBeUndefined();
  });

  it("renames over, refuses to, and exchanges", () => {
    create("a", "a");
    create("b", "b");
    expect(() => renameat2(scratch.fd, "a", scratch.fd, "b", RENAME_NOREPLACE)).toThrow(
      expect.objectContaining({ code: "EEXIST" }),
    );
    renameat2(scratch.fd, "a", scratch.fd, "b", RENAME_EXCHANGE);
    expect(readFileSync(join(scratch.path, "a"), "utf8")).toBe("b");
    renameat2(scratch.fd, "a", scratch.fd, "b");
    expect(readFileSync(join(scratch.path, "b"), "utf8")).toBe("b");
    expect(statxOrUndefined(scratch.fd, "a")).toBeUndefined();
  });
});

describe("mknodat", () => {
  it("makes FIFOs and sockets", () => {
    mknodat(scratch.fd, "fifo", S_IFIFO | 0o600, { major: 0, minor: 0 });
    mknodat(scratch.fd, "socket", S_IFSOCK | 0o600, { major: 0, minor: 0 });
    expect(statx(scratch.fd, "fifo").mode & S_IFMT).toBe(S_IFIFO);
    expect(statx(scratch.fd, "socket").mode & S_IFMT).toBe(S_IFSOCK);
  });

  asRoot.each([
    [S_IFCHR, 0, 0],
    [S_IFCHR, 1, 3],
    [S_IFBLK, 259, 70_000],
    [S_IFBLK, 4095, 1_048_575],
  ])("makes devices of type %o, %i:%i", (type, major, minor) => {
    mknodat(scratch.fd, "device", type | 0o600, { major, minor });
    const { mode, rdev } = statx(scratch.fd, "device");
    expect(mode & S_IFMT).toBe(type);
    expect(rdev).toEqual({ major, minor });
  });

  it.each([
    { major: 4096, minor: 0 },
    { major: 0, minor: 1_048_576 },
    { major: -1, minor: 0 },
  ])("refuses a device number that Linux cannot keep", (rdev) => {
    expect(() => mknodat(scratch.fd, "device", S_IFCHR, rdev)).toThrow(
      expect.objectContaining({ code: "EINVAL", path: "device" }),
    );
  });
});

it("works in several threads at once", async () => {
  writeFileSync(join(scratch.path, "file"), "x".repeat(7));
  const sizes = Array.from({ length: 3 }, () => {
    const worker = new Worker(
      `const { parentPort, workerData } = require("node:worker_threads");
       import("@strata/linux").then(({ statx }) => {
         let sum = 0;
         for (let i = 0; i < 10000; i++) sum += statx(workerData, "file").size;
         parentPort.postMessage(sum);
       });`,
      { eval: true, workerData: scratch.fd },
    );
    return new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  });
  expect(await Promise.all(sizes)).toEqual([70_000, 70_000, 70_000]);
});

it("opens directories only as directories", () => {
  create("file");
  expect(() => openat(scratch.fd, "file", O_RDONLY | O_DIRECTORY)).toThrow(
    expect.objectContaining({ code: "ENOTDIR" }),
  );
});
