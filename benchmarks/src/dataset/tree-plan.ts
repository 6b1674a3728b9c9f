import { randomNumbers } from "@strata/conformance/suite";
import { NameMaker } from "./names.ts";

/** What a tree is like; sizes, names and depths are distributed as in real images. */
export interface TreeSpec {
  /**
   * - `small`: many small files in packages, as below node_modules
   * - `large`: a few libraries and binaries
   * - `mixed`: as the tree of a distribution, with symlinks, hard links, and files of all sizes
   */
  readonly shape: "small" | "large" | "mixed";
  /** Regular files; directories and links come on top. */
  readonly files: number;
  /** Of all regular files together. */
  readonly bytes: number;
  /** Whether gzip makes about a third of it, or nothing. */
  readonly compressible: boolean;
}

/** Something to be made, after the directory that it lies in. Paths are relative to the root. */
export type PlannedEntry =
  | { readonly kind: "directory"; readonly path: string; readonly mtime: number }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly mtime: number;
      readonly mode: number;
      /** Of user and group; 0 for nearly all. */
      readonly owner: number;
      readonly bytes: number;
    }
  | { readonly kind: "symlink"; readonly path: string; readonly mtime: number; readonly target: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

/** What was counted in a Debian base image with packages and in a node_modules of fifty thousand files. */
const shapes = {
  small: {
    places: ["srv/app/node_modules"],
    filesPerDirectory: 11.5,
    sizeSigma: 1.7,
    symlinksPerFile: 0.001,
    linksPerFile: 0,
    executables: 0.003,
    foreign: 0,
  },
  large: {
    places: ["usr/lib", "usr/bin", "opt/tool/lib"],
    filesPerDirectory: 4,
    sizeSigma: 0.6,
    symlinksPerFile: 1,
    linksPerFile: 0,
    executables: 0.5,
    foreign: 0,
  },
  mixed: {
    places: [
      "usr/share/doc",
      "usr/share/locale",
      "usr/share/perl",
      "usr/lib/x86_64-linux-gnu",
      "usr/lib/python3",
      "usr/include",
      "var/lib/dpkg",
      "etc",
    ],
    filesPerDirectory: 8.5,
    sizeSigma: 1.9,
    symlinksPerFile: 0.08,
    linksPerFile: 0.002,
    executables: 0.07,
    foreign: 0.002,
  },
} as const;

/** Directories in which a place's own directories lie, not counting the place itself. */
const deepest = 8;
/** The end of 2020; seconds since the epoch. */
const newest = 1_609_459_200;
const oneYear = 31_536_000;

/** All that makes up a tree, the same for the same seed; only the contents of files come later. */
export function planTree(spec: TreeSpec, seed: number): PlannedEntry[] {
  const shape = shapes[spec.shape];
  const random = randomNumbers(seed);
  const names = new NameMaker(spec.shape, random);
  const mtime = () => newest - Math.floor(random() * oneYear);
  const entries: PlannedEntry[] = [];
  const directories = planDirectories(Math.ceil(spec.files / shape.filesPerDirectory), shape.places, {
    random,
    names,
  });
  for (const path of directories.all) entries.push({ kind: "directory", path, mtime: mtime() });
  const sizes = fileSizes(spec, shape.sizeSigma, random);
  for (const bytes of sizes) {
    entries.push({
      kind: "file",
      path: names.fileIn(pick(directories.inner, random)),
      mtime: mtime(),
      mode: random() < shape.executables ? 0o755 : 0o644,
      owner: random() < shape.foreign ? 1000 : 0,
      bytes,
    });
  }
  const files = entries.filter(({ kind }) => kind === "file");
  const some = (count: number) => Array.from({ length: Math.round(count) }, () => pick(files, random).path);
  for (const target of some(spec.files * shape.symlinksPerFile)) {
    const { parent, name } = split(target);
    entries.push({ kind: "symlink", path: names.fileIn(parent), mtime: mtime(), target: name });
  }
  // At least one, in however small a tree of a shape that has any.
  for (const target of some(shape.linksPerFile && Math.max(1, spec.files * shape.linksPerFile))) {
    entries.push({ kind: "link", path: names.fileIn(pick(directories.inner, random)), target });
  }
  return entries;
}

/** Log-normal, scaled so that they make `bytes` together. */
function fileSizes({ files, bytes }: TreeSpec, sigma: number, random: () => number): number[] {
  const drawn = Array.from({ length: files }, () => Math.exp(sigma * normal(random)));
  const sum = drawn.reduce((total, each) => total + each, 0);
  let passed = 0;
  return drawn.map((each) => {
    const before = Math.round((passed / sum) * bytes);
    passed += each;
    return Math.round((passed / sum) * bytes) - before;
  });
}

/** @see Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958 */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function planDirectories(
  count: number,
  places: readonly string[],
  { random, names }: { readonly random: () => number; readonly names: NameMaker },
): { readonly all: readonly string[]; readonly inner: readonly string[] } {
  const all = new Set<string>();
  for (const place of places) {
    const parts = place.split("/");
    parts.forEach((_, index) => {
      all.add(parts.slice(0, index + 1).join("/"));
    });
  }
  const inner: { path: string; depth: number }[] = [];
  for (let index = 0; index < count; index++) {
    const above = inner.length === 0 || random() < 0.4 ? undefined : pick(inner, random);
    const nests = above !== undefined && above.depth < deepest;
    const path = names.directoryIn(nests ? above.path : pick(places, random));
    inner.push({ path, depth: nests ? above.depth + 1 : 1 });
    all.add(path);
  }
  return { all: [...all], inner: inner.map(({ path }) => path) };
}

function pick<T>(items: readonly [T, ...T[]] | readonly T[], random: () => number): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new TypeError("there is nothing to choose from");
  return item;
}

function split(path: string): { parent: string; name: string } {
  const slash = path.lastIndexOf("/");
  return { parent: path.slice(0, slash), name: path.slice(slash + 1) };
}
