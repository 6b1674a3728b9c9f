import { appendFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

/** How many files each kind of edit is made to. */
const countOfEach = 50;

/** Regular files and their bytes. */
export interface Amount {
  readonly files: number;
  readonly bytes: number;
}

/** What to do to a tree, and so what its `diff` must show. Paths are relative to the tree. */
export interface EditPlan {
  readonly read: readonly string[];
  readonly modified: readonly string[];
  readonly deleted: readonly string[];
  readonly added: readonly string[];
  /** A directory that is replaced by another of the same name, with one file in it. */
  readonly replaced: {
    readonly directory: string;
    readonly before: readonly string[];
    readonly after: string;
  };
}

/** Plan edits that are spread over the whole of a tree of regular files. */
export async function planEdits(root: string): Promise<EditPlan> {
  const all = (await readdir(root, { withFileTypes: true, recursive: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
  const directory = await findFlatDirectory(root, all);
  const files = all.filter((path) => dirname(path) !== directory);
  const stride = Math.max(1, Math.floor(files.length / countOfEach));
  const pick = (offset: number) => files.filter((_, index) => index % stride === offset % stride);
  return {
    read: pick(0),
    modified: pick(1),
    deleted: pick(2),
    added: pick(3).map((path) => `${path}.added`),
    replaced: {
      directory,
      before: (await readdir(join(root, directory))).map((name) => join(directory, name)),
      after: join(directory, "in-its-place"),
    },
  };
}

/** The first directory that holds several files and nothing else. */
async function findFlatDirectory(root: string, files: readonly string[]): Promise<string> {
  for (const directory of new Set(files.map((path) => dirname(path)))) {
    const entries = await readdir(join(root, directory), { withFileTypes: true });
    if (entries.length >= 3 && entries.every((entry) => entry.isFile())) return directory;
  }
  throw new Error(`${root}: no directory that holds several files and nothing else`);
}

export async function readFiles(root: string, { read }: EditPlan): Promise<Amount> {
  let bytes = 0;
  for (const path of read) bytes += (await readFile(join(root, path))).length;
  return { files: read.length, bytes };
}

export async function modifyFiles(root: string, { modified }: EditPlan): Promise<Amount> {
  const text = "\n// modified\n";
  for (const path of modified) await appendFile(join(root, path), text);
  return { files: modified.length, bytes: modified.length * text.length };
}

export async function deleteFiles(root: string, { deleted }: EditPlan): Promise<Amount> {
  for (const path of deleted) await rm(join(root, path));
  return { files: deleted.length, bytes: 0 };
}

export async function addFiles(root: string, { added }: EditPlan): Promise<Amount> {
  const content = Buffer.alloc(64 * 1024, "added ");
  for (const path of added) await writeFile(join(root, path), content);
  return { files: added.length, bytes: added.length * content.length };
}

export async function replaceDirectory(root: string, { replaced }: EditPlan): Promise<Amount> {
  await rm(join(root, replaced.directory), { recursive: true });
  await mkdir(join(root, replaced.directory));
  await writeFile(join(root, replaced.after), "replaced\n");
  return { files: replaced.before.length + 1, bytes: "replaced\n".length };
}

/** The lines that a diff of the edits must show, beside the directories they happened in. */
export function expectedChanges({ modified, deleted, added, replaced }: EditPlan): string[] {
  return [
    ...modified.map((path) => `modified ${path}`),
    ...[...deleted, ...replaced.before].map((path) => `deleted ${path}`),
    ...[...added, replaced.after].map((path) => `added ${path}`),
  ].sort();
}
