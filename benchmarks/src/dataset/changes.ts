import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/**
 * Change a tree as a long-lived container does: edit, delete, add and replace, a few hundred of each, chosen by
 * position so that every build of the data set makes the same choice.
 */
export function changeTree(root: string): void {
  const modules = join(root, "srv/app/node_modules");
  const documents = join(root, "usr/share/doc");

  const sources = files(modules).filter((path) => path.endsWith(".js"));
  for (const path of everyNth(sources, 40)) appendFileSync(path, "// patched\n");
  for (const path of everyNth(sources, 41)) rmSync(path, { force: true });

  const packages = directories(documents);
  for (const path of everyNth(packages, 7)) rmSync(path, { recursive: true });
  for (const path of everyNth(packages, 11)) replaceDirectory(path);
  for (const path of everyNth(packages, 13)) chmodSync(makeDirectory(path), 0o700);
  for (const path of everyNth(packages, 17)) chownSync(makeDirectory(path), 1000, 1000);

  const added = makeDirectory(join(root, "srv/added"));
  for (const name of ["typescript", "date-fns"]) {
    cpSync(join(modules, name), join(added, name), { recursive: true, verbatimSymlinks: true });
  }
  for (const [index, path] of everyNth(files(added), 50).entries()) {
    linkSync(path, join(added, `link-${index}`));
    symlinkSync(path, join(added, `symlink-${index}`));
  }
}

/** What was a directory of many files becomes another one of the same name: opaque in the layer. */
function replaceDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true });
  writeFileSync(join(makeDirectory(path), "README"), "replaced\n");
}

function makeDirectory(path: string): string {
  mkdirSync(path, { recursive: true });
  return path;
}

function everyNth<T>(items: readonly T[], n: number): T[] {
  return items.filter((_, index) => index % n === 0);
}

function directories(parent: string): string[] {
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(parent, entry.name))
    .sort();
}

function files(parent: string): string[] {
  return readdirSync(parent, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
