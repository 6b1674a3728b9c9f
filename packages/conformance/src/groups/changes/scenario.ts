import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { AT_FDCWD, type Timespec, utimensat } from "@strata/linux";
import { settleTimes } from "../../trees/settle-times.ts";
import type { Edit, Trial } from "../../trial.ts";

/** Give one path a modification time; never follows a symlink. */
export function setTime(path: string, time: Timespec): void {
  utimensat(AT_FDCWD, path, time);
}

/** Do something to a file, and put the time it was modified at back. */
export function unseen(path: string, edit: () => void): void {
  const { mtimeNs } = statSync(path, { bigint: true });
  edit();
  const billion = 1_000_000_000n;
  setTime(path, { sec: Number(mtimeNs / billion), nsec: Number(mtimeNs % billion) });
}

/** Commit `base`, and on top of it `top`; what either touches gets fixed times. */
export async function commitPair(trial: Trial, base: Edit, top: Edit): Promise<void> {
  await commitSettled(trial, "base", base);
  await commitSettled(trial, "top", top, "base");
}

/** Commit a snapshot in which what `edit` touches has fixed times, later ones than its parent's. */
export async function commitSettled(trial: Trial, name: string, edit: Edit, parent?: string): Promise<void> {
  await trial.commit(name, settled(edit, parent === undefined ? 0 : 1), parent);
}

/** An edit after which what it touched has fixed times. */
export function settled(edit: Edit, step: number): Edit {
  return async (at) => {
    await edit(at);
    settleTimes(at, step);
  };
}

/**
 * Commit `first`, `second` and `third`, each on top of the one before, and prepare `fourth` on top of them. What each
 * changes differs from what it and the one before it change together.
 */
export async function makeChain(trial: Trial): Promise<void> {
  await trial.commit("first", settled(makeBottom, 0));
  await trial.commit("second", settled(changeSecond, 1), "first");
  await trial.commit("third", settled(changeThird, 2), "second");
  await trial.edit(await trial.driver.prepare("fourth", "third"), settled(changeFourth, 3));
}

function makeBottom(at: string): void {
  mkdirSync(`${at}/dir`);
  for (const name of ["dir/f", "edited", "gone", "late"]) writeFileSync(`${at}/${name}`, name);
}

function changeSecond(at: string): void {
  for (const name of ["added", "passing"]) writeFileSync(`${at}/${name}`, name);
  appendFileSync(`${at}/edited`, ", by the second");
  rmSync(`${at}/gone`);
}

function changeThird(at: string): void {
  for (const name of ["dir/g", "gone"]) writeFileSync(`${at}/${name}`, "new in the third");
  appendFileSync(`${at}/late`, ", by the third");
  rmSync(`${at}/passing`);
}

function changeFourth(at: string): void {
  appendFileSync(`${at}/edited`, ", and by the fourth");
  rmSync(`${at}/dir/g`);
}

/** A tree on top of which {@link changeAllKinds} can be done. */
export function makeBase(at: string): void {
  for (const name of [
    "deleted",
    "dir-to-file",
    "nested",
    "nested/deep",
    "nested/same",
    "recreated",
    "same",
  ]) {
    mkdirSync(`${at}/${name}`);
  }
  const files = ["appended", "chmodded", "deleted/x", "dir-to-file/x", "file-to-dir", "gone", "same-size"];
  files.push("nested/deep/edited", "nested/deep/kept", "recreated/old", "rewritten", "same/f");
  for (const name of files) writeFileSync(`${at}/${name}`, `${name} of the base`);
  symlinkSync("appended", `${at}/link`);
}

/** Every kind of change there is, and some that leave nothing changed. */
export function changeAllKinds(at: string): void {
  appendFileSync(`${at}/appended`, ", and more");
  chmodSync(`${at}/chmodded`, 0o600);
  rmSync(`${at}/deleted`, { recursive: true });
  rmSync(`${at}/dir-to-file`, { recursive: true });
  writeFileSync(`${at}/dir-to-file`, "a file now");
  rmSync(`${at}/file-to-dir`);
  mkdirSync(`${at}/file-to-dir`);
  writeFileSync(`${at}/file-to-dir/inner`, "new");
  rmSync(`${at}/gone`);
  rmSync(`${at}/link`);
  symlinkSync("chmodded", `${at}/link`);
  writeFileSync(`${at}/nested/deep/edited`, "edited");
  mkdirSync(`${at}/new`);
  writeFileSync(`${at}/new/f`, "new");
  linkSync(`${at}/new/f`, `${at}/new/g`);
  rmSync(`${at}/recreated`, { recursive: true });
  mkdirSync(`${at}/recreated`);
  writeFileSync(`${at}/recreated/new`, "new");
  unseen(`${at}/rewritten`, () => writeFileSync(`${at}/rewritten`, "rewritten of the base"));
  unseen(`${at}/same-size`, () => writeFileSync(`${at}/same-size`, "same-size of the edit"));
  writeFileSync(`${at}/temporary`, "for a moment");
  rmSync(`${at}/temporary`);
}

/** What {@link changeAllKinds} is, as `listChanges` tells it. */
export const allKinds: readonly string[] = [
  "C .",
  "C appended",
  "C chmodded",
  "D deleted",
  "C dir-to-file",
  "C file-to-dir",
  "A file-to-dir/inner",
  "D gone",
  "C link",
  "C nested",
  "C nested/deep",
  "C nested/deep/edited",
  "A new",
  "A new/f",
  "A new/g",
  "C recreated",
  "A recreated/new",
  "D recreated/old",
  "C same-size",
];
