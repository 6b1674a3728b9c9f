import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { errnoCode } from "@strata/core";
import {
  AT_FDCWD,
  mknodat,
  RENAME_EXCHANGE,
  removexattrat,
  renameat2,
  S_IFIFO,
  setxattrat,
} from "@strata/linux";

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Do `count` random edits in a tree. @returns how many of each kind were done, beside those that were impossible */
export function editAtRandom(tree: string, count: number, random: () => number): Map<string, number> {
  const done = new Map<string, number>();
  const kinds = Object.entries(edits);
  for (let edited = 0; edited < count; ) {
    const [kind, edit] = pick(kinds, random);
    try {
      edit(chooser(tree, random));
      done.set(kind, (done.get(kind) ?? 0) + 1);
      edited += 1;
    } catch (error) {
      if (!impossible.has(errnoCode(error))) throw error;
    }
  }
  return done;
}

const impossible: ReadonlySet<string | undefined> = new Set([
  "EEXIST",
  "EINVAL",
  "EISDIR",
  "ELOOP",
  "ENODATA",
  "ENOENT",
  "ENOTDIR",
  "ENOTEMPTY",
  "EPERM",
]);

interface Chooser {
  readonly random: () => number;
  /** A name that is there. */
  readonly any: () => string;
  readonly file: () => string;
  readonly directory: () => string;
  /** A name that may be there or not. */
  readonly target: () => string;
}

function chooser(tree: string, random: () => number): Chooser {
  const found = readdirSync(tree, { recursive: true, withFileTypes: true });
  const paths = (wanted: typeof found) => wanted.map((entry) => join(entry.parentPath, entry.name));
  const files = () => paths(found.filter((entry) => entry.isFile()));
  const directories = () => [tree, ...paths(found.filter((entry) => entry.isDirectory()))];
  return {
    random,
    any: () => pick(paths(found), random),
    file: () => pick(files(), random),
    directory: () => pick(directories(), random),
    target: () => join(pick(directories(), random), `n${Math.floor(random() * 40)}`),
  };
}

function pick<T>(from: readonly T[], random: () => number): T {
  const chosen = from[Math.floor(random() * from.length)];
  if (chosen === undefined) throw Object.assign(new Error("there is none"), { code: "ENOENT" });
  return chosen;
}

// Nothing is written to a name that is there already: it may be a FIFO, where that waits for a reader.
const edits: Readonly<Record<string, (choose: Chooser) => void>> = {
  create: ({ target, random }) => writeFileSync(target(), "x".repeat(random() * 5000), { flag: "wx" }),
  createBig: ({ target, random }) =>
    writeFileSync(target(), Buffer.alloc(random() * 300_000, 1), { flag: "wx" }),
  mkdir: ({ target }) => mkdirSync(target()),
  mkdirs: ({ target }) => mkdirSync(join(target(), "deeper", "still"), { recursive: true }),
  symlink: ({ target, any }) => symlinkSync(basename(any()), target()),
  fifo: ({ target }) => mknodat(AT_FDCWD, target(), S_IFIFO | 0o644, { major: 0, minor: 0 }),
  overwriteUnseen({ file, random }) {
    const path = file();
    const { atime, mtime } = statSync(path);
    writeFileSync(path, readFileSync(path).fill(Math.floor(random() * 256)));
    utimesSync(path, atime, mtime);
  },
  writeInside({ file, random }) {
    const fd = openSync(file(), "r+");
    writeSync(fd, "inside", Math.floor(random() * 100_000));
    closeSync(fd);
  },
  append: ({ file }) => appendFileSync(file(), "more"),
  truncate({ file, random }) {
    const fd = openSync(file(), "r+");
    ftruncateSync(fd, Math.floor(random() * 10_000));
    closeSync(fd);
  },
  chmod: ({ file, random }) => chmodSync(file(), Math.floor(random() * 0o1000)),
  chmodDirectory: ({ directory, random }) => chmodSync(directory(), Math.floor(random() * 0o1000)),
  chown: ({ any, random }) => lchownSync(any(), Math.floor(random() * 9), Math.floor(random() * 9)),
  utimes: ({ any, random }) => lutimesSync(any(), random() * 1e9, random() * 1e9),
  setxattr: ({ file, random }) => setxattrat(AT_FDCWD, file(), "user.a", Buffer.from(`${random()}`)),
  setxattrOfDirectory: ({ directory }) => setxattrat(AT_FDCWD, directory(), "trusted.b", Buffer.from("1")),
  removexattr: ({ file }) => removexattrat(AT_FDCWD, file(), "user.a"),
  rename: ({ any, target }) => renameSync(any(), target()),
  renameDirectory: ({ directory, target }) => renameSync(directory(), target()),
  renameOver: ({ file, any }) => renameSync(file(), any()),
  exchange: ({ any }) => renameat2(AT_FDCWD, any(), AT_FDCWD, any(), RENAME_EXCHANGE),
  link: ({ file, target }) => linkSync(file(), target()),
  reflink: ({ file, target }) =>
    copyFileSync(file(), target(), constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL),
  unlink: ({ any }) => unlinkSync(any()),
  remove({ any, random }) {
    const path = any();
    // Seldom whole trees, or nothing would be left.
    if (lstatSync(path).isDirectory() && random() < 0.7) return;
    rmSync(path, { recursive: true });
  },
  directoryForFile({ file }) {
    const path = file();
    unlinkSync(path);
    mkdirSync(path);
    writeFileSync(join(path, "n1"), "in place of a file");
  },
  fileForDirectory({ any, random }) {
    const path = any();
    if (!lstatSync(path).isDirectory() || random() < 0.7) return;
    rmSync(path, { recursive: true });
    writeFileSync(path, "in place of a directory");
  },
  /** Another directory under the name, with what the first one held. */
  replaceDirectory({ any }) {
    const path = any();
    if (!lstatSync(path).isDirectory()) return;
    const names = readdirSync(path);
    renameSync(path, `${path}-old`);
    mkdirSync(path);
    for (const name of names) renameSync(join(`${path}-old`, name), join(path, name));
    rmSync(`${path}-old`, { recursive: true });
  },
  /** As programs do it that keep their files whole: written beside, then renamed. */
  replaceFile({ file }) {
    const path = file();
    execFileSync("cp", ["-a", path, `${path}-new`]);
    renameSync(`${path}-new`, path);
  },
};

/** The kinds of edits there are. */
export const kindsOfEdits: readonly string[] = Object.keys(edits);
