/*
 * The native functions, each with its TypeScript signature and its C prototype. koffi types its functions as `any`;
 * the annotations here are where that ends. All but strerror return -1 and leave errno when they fail.
 *
 * What a libc may lack (the oldest aimed at are glibc 2.28 and musl 1.2) goes through syscall(2). That is variadic,
 * and so are openat and ioctl, but on both architectures below integers are passed alike either way.
 */
import { createRequire } from "node:module";

if (process.platform !== "linux" || (process.arch !== "x64" && process.arch !== "arm64")) {
  throw new Error(
    `@strata/linux needs Linux on x64 or arm64; this is ${process.platform} on ${process.arch}`,
  );
}

/** Memory that the kernel reads or fills. Paths end with a NUL, see `cstring`. */
type Memory = Uint8Array;

type Koffi = typeof import("koffi");
let koffi: Koffi | undefined;
let symbols: ReturnType<Koffi["load"]> | undefined;

function loadKoffi(): Koffi {
  const loaded: Koffi = koffi ?? createRequire(import.meta.url)("koffi");
  koffi = loaded;
  return loaded;
}

/**
 * The libc that Node is linked with. koffi, a native module, and each function are loaded when they are first called:
 * programs that import this package, but list names only, start without them.
 */
const libc = {
  func<Parameters extends readonly unknown[], Result>(prototype: string): (...values: Parameters) => Result {
    let native: ((...values: Parameters) => Result) | undefined;
    return (...values) => {
      if (native === undefined) {
        symbols ??= loadKoffi().load(null);
        native = symbols.func(prototype);
      }
      return native(...values);
    };
  },

  /** A function that runs on another thread; it calls `done` on this one, where errno is then the call's. */
  background<Parameters extends readonly unknown[], Result>(
    prototype: string,
  ): (...values: [...Parameters, done: (failure: unknown, result: Result) => void]) => void {
    return (...values) => {
      symbols ??= loadKoffi().load(null);
      symbols.func(prototype).async(...values);
    };
  },
};

/** The errno of this thread's last native call. */
export const lastErrno = (): number => loadKoffi().errno();

export const strerror: (errno: number) => string = libc.func("const char *strerror(int)");

// Files and directories.
export const openat: (dirfd: number, path: Memory, flags: number, mode: number) => number = libc.func(
  "int openat(int, const void *, int, unsigned int)",
);
export const close: (fd: number) => number = libc.func("int close(int)");
export const read: (fd: number, buffer: Memory, length: number) => number = libc.func(
  "intptr_t read(int, void *, size_t)",
);
export const mkdirat: (dirfd: number, path: Memory, mode: number) => number = libc.func(
  "int mkdirat(int, const void *, unsigned int)",
);
export const symlinkat: (target: Memory, dirfd: number, path: Memory) => number = libc.func(
  "int symlinkat(const void *, int, const void *)",
);
export const linkat: (
  oldDirfd: number,
  old: Memory,
  newDirfd: number,
  path: Memory,
  flags: number,
) => number = libc.func("int linkat(int, const void *, int, const void *, int)");
export const unlinkat: (dirfd: number, path: Memory, flags: number) => number = libc.func(
  "int unlinkat(int, const void *, int)",
);
export const readlinkat: (dirfd: number, path: Memory, buffer: Memory, size: number) => number = libc.func(
  "intptr_t readlinkat(int, const void *, void *, size_t)",
);

// Metadata.
export const fchown: (fd: number, uid: number, gid: number) => number = libc.func(
  "int fchown(int, unsigned int, unsigned int)",
);
export const fchownat: (dirfd: number, path: Memory, uid: number, gid: number, flags: number) => number =
  libc.func("int fchownat(int, const void *, unsigned int, unsigned int, int)");
export const fchmod: (fd: number, mode: number) => number = libc.func("int fchmod(int, unsigned int)");
export const chmod: (path: Memory, mode: number) => number = libc.func(
  "int chmod(const void *, unsigned int)",
);
export const futimens: (fd: number, times: Memory) => number = libc.func("int futimens(int, const void *)");
export const utimensat: (dirfd: number, path: Memory, times: Memory, flags: number) => number = libc.func(
  "int utimensat(int, const void *, const void *, int)",
);
export const umask: (mask: number) => number = libc.func("unsigned int umask(unsigned int)");

// Extended attributes: of a descriptor, of a path, of a path whose last symlink is not followed.
type ListXattr<Of> = (of: Of, list: Memory, size: number) => number;
type GetXattr<Of> = (of: Of, name: Memory, value: Memory, size: number) => number;
type SetXattr<Of> = (of: Of, name: Memory, value: Memory, size: number, flags: number) => number;
type RemoveXattr<Of> = (of: Of, name: Memory) => number;

export const flistxattr: ListXattr<number> = libc.func("intptr_t flistxattr(int, void *, size_t)");
export const listxattr: ListXattr<Memory> = libc.func("intptr_t listxattr(const void *, void *, size_t)");
export const llistxattr: ListXattr<Memory> = libc.func("intptr_t llistxattr(const void *, void *, size_t)");
export const fgetxattr: GetXattr<number> = libc.func("intptr_t fgetxattr(int, const void *, void *, size_t)");
export const getxattr: GetXattr<Memory> = libc.func(
  "intptr_t getxattr(const void *, const void *, void *, size_t)",
);
export const lgetxattr: GetXattr<Memory> = libc.func(
  "intptr_t lgetxattr(const void *, const void *, void *, size_t)",
);
export const fsetxattr: SetXattr<number> = libc.func(
  "int fsetxattr(int, const void *, const void *, size_t, int)",
);
export const setxattr: SetXattr<Memory> = libc.func(
  "int setxattr(const void *, const void *, const void *, size_t, int)",
);
export const lsetxattr: SetXattr<Memory> = libc.func(
  "int lsetxattr(const void *, const void *, const void *, size_t, int)",
);
export const fremovexattr: RemoveXattr<number> = libc.func("int fremovexattr(int, const void *)");
export const removexattr: RemoveXattr<Memory> = libc.func("int removexattr(const void *, const void *)");
export const lremovexattr: RemoveXattr<Memory> = libc.func("int lremovexattr(const void *, const void *)");

// Locks, space, mounts.
export const flock: (fd: number, operation: number) => number = libc.func("int flock(int, int)");
export const syncfs: (fd: number) => number = libc.func("int syncfs(int)");
export const syncfsInBackground: (fd: number, done: (failure: unknown, result: number) => void) => void =
  libc.background("int syncfs(int)");
export const syncFileRange: (fd: number, offset: number, length: number, flags: number) => number = libc.func(
  "int sync_file_range(int, int64_t, int64_t, unsigned int)",
);
export const fallocate: (fd: number, mode: number, offset: number, length: number) => number = libc.func(
  "int fallocate(int, int, int64_t, int64_t)",
);
export const copyFileRange: (
  inFd: number,
  inOffset: Memory,
  outFd: number,
  outOffset: Memory,
  length: number,
  flags: number,
) => number = libc.func("intptr_t copy_file_range(int, void *, int, void *, size_t, unsigned int)");
export const ioctlInt: (fd: number, request: number, argument: number) => number = libc.func(
  "int ioctl(int, unsigned long, long)",
);
export const ioctl: (fd: number, request: number, argument: Memory) => number = libc.func(
  "int ioctl(int, unsigned long, void *)",
);
export const ioctlInBackground: (
  fd: number,
  request: number,
  argument: Memory,
  done: (failure: unknown, result: number) => void,
) => void = libc.background("int ioctl(int, unsigned long, void *)");
export const lseek: (fd: number, offset: number, whence: number) => number = libc.func(
  "int64_t lseek(int, int64_t, int)",
);
export const fstatfs: (fd: number, buffer: Memory) => number = libc.func("int fstatfs(int, void *)");
export const umount2: (path: Memory, flags: number) => number = libc.func("int umount2(const void *, int)");

/**
 * Numbers of system calls: arch/x86/entry/syscalls/syscall_64.tbl, and include/uapi/asm-generic/unistd.h for arm64.
 * From 424 on, all architectures share them.
 */
export const number = {
  ...(process.arch === "x64"
    ? { getdents64: 217, mknodat: 259, renameat2: 316, statx: 332 }
    : { getdents64: 61, mknodat: 33, renameat2: 276, statx: 291 }),
  openTree: 428,
  moveMount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  openat2: 437,
  mountSetattr: 442,
} as const;

export const getdents64: (nr: number, fd: number, buffer: Memory, size: number) => number = libc.func(
  "long syscall(long, int, void *, size_t)",
);
export const mknodat: (nr: number, dirfd: number, path: Memory, mode: number, device: number) => number =
  libc.func("long syscall(long, int, const void *, unsigned int, unsigned int)");
export const renameat2: (
  nr: number,
  oldDirfd: number,
  old: Memory,
  newDirfd: number,
  path: Memory,
  flags: number,
) => number = libc.func("long syscall(long, int, const void *, int, const void *, unsigned int)");
export const statx: (
  nr: number,
  dirfd: number,
  path: Memory,
  flags: number,
  mask: number,
  buffer: Memory,
) => number = libc.func("long syscall(long, int, const void *, int, unsigned int, void *)");
export const openat2: (nr: number, dirfd: number, path: Memory, how: Memory, size: number) => number =
  libc.func("long syscall(long, int, const void *, const void *, size_t)");

export const openTree: (nr: number, dirfd: number, path: Memory, flags: number) => number = libc.func(
  "long syscall(long, int, const void *, unsigned int)",
);
export const moveMount: (
  nr: number,
  fromFd: number,
  from: Memory,
  toFd: number,
  to: Memory,
  flags: number,
) => number = libc.func("long syscall(long, int, const void *, int, const void *, unsigned int)");
export const fsopen: (nr: number, fstype: Memory, flags: number) => number = libc.func(
  "long syscall(long, const void *, unsigned int)",
);
export const fsconfig: (
  nr: number,
  fd: number,
  command: number,
  key: Memory | null,
  value: Memory | null,
  aux: number,
) => number = libc.func("long syscall(long, int, unsigned int, const void *, const void *, int)");
export const fsmount: (nr: number, fd: number, flags: number, attributes: number) => number = libc.func(
  "long syscall(long, int, unsigned int, unsigned int)",
);
export const mountSetattr: (
  nr: number,
  fd: number,
  path: Memory,
  flags: number,
  attributes: Memory,
  size: number,
) => number = libc.func("long syscall(long, int, const void *, unsigned int, const void *, size_t)");
