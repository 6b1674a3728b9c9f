import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { vfs } from "@strata/driver-vfs";
import { beforeEach, describe, expect, test } from "vitest";
import { recordTree, touchedSince } from "../src/tree-record.ts";
import { scratch } from "./scratch.ts";

let tree: string;
let record: string;
const at = (name: string): string => join(tree, name);

function makeTree(root: string): void {
  for (const name of ["a", "a/deep", "b", "c"]) mkdirSync(join(root, name), { recursive: true });
  for (const name of ["a/one", "a/two", "a/deep/three", "b/one", "b/four", "top"]) {
    writeFileSync(join(root, name), `content of ${name}`);
  }
  linkSync(join(root, "a/one"), join(root, "a.b"));
  symlinkSync("one", join(root, "a/link"));
}

function makeRecord(): void {
  for (const _ of recordTree(tree, record));
}

function touched(): string[] {
  const paths: string[] = [];
  for (const path of touchedSince(record, tree)) if (path) paths.push(path.toString());
  return paths.sort();
}

beforeEach(async () => {
  const root = scratch();
  tree = join(root, "tree");
  record = join(root, "record");
  makeTree(tree);
  // Older than a tick of the clock that ctimes come from.
  await setTimeout(50);
  makeRecord();
});

test("nothing touched, nothing said", () => {
  expect(touched()).toEqual([]);
});

describe("is told", () => {
  const cases: readonly [string, () => void, readonly string[]][] = [
    ["other content", () => writeFileSync(at("a/deep/three"), "new"), ["a/deep/three"]],
    [
      "other content of the same size and mtime",
      () => {
        const { atime, mtime } = statSync(at("top"));
        writeFileSync(at("top"), "CONTENT OF top");
        utimesSync(at("top"), atime, mtime);
      },
      ["top"],
    ],
    ["appended", () => appendFileSync(at("b/four"), "x"), ["b/four"]],
    ["cut", () => truncateSync(at("b/four"), 1), ["b/four"]],
    ["a mode", () => chmodSync(at("a/deep"), 0o700), ["a/deep"]],
    ["every name of a file", () => chmodSync(at("a/one"), 0o600), ["a.b", "a/one"]],
    ["a file added", () => writeFileSync(at("c/new"), ""), ["c", "c/new"]],
    ["a file deleted", () => rmSync(at("a/two")), ["a", "a/two"]],
    ["a directory deleted", () => rmSync(at("a"), { recursive: true }), ["a", "a.b"]],
    ["a file renamed", () => renameSync(at("b/four"), at("b/five")), ["b", "b/five", "b/four"]],
    [
      "a directory renamed, with what is in it",
      () => renameSync(at("a/deep"), at("c/deep")),
      ["a", "a/deep", "c", "c/deep", "c/deep/three"],
    ],
    [
      "a directory renamed over another, with what is in it",
      () => {
        rmSync(at("a"), { recursive: true });
        renameSync(at("b"), at("a"));
      },
      ["a", "a.b", "a/deep", "a/four", "a/link", "a/one", "a/two", "b"],
    ],
    [
      "a directory in the place of a file, and the other way round",
      () => {
        rmSync(at("b"), { recursive: true });
        writeFileSync(at("b"), "");
        rmSync(at("top"));
        mkdirSync(at("top"));
        writeFileSync(at("top/below"), "");
      },
      ["b", "top", "top/below"],
    ],
  ];
  test.each(cases)("%s", (_, change, expected) => {
    change();
    expect(touched()).toEqual(expected);
  });
});

test("a record that was cut short makes everything behind the cut touched", () => {
  const all = [
    "a",
    "a.b",
    "a/deep",
    "a/deep/three",
    "a/link",
    "a/one",
    "a/two",
    "b",
    "b/four",
    "b/one",
    "c",
    "top",
  ];
  const whole = readFileSync(record);
  for (let length = 0; length < whole.length; length++) {
    truncateSync(record, 0);
    writeFileSync(record, whole.subarray(0, length));
    const found = touched();
    expect(all, `cut to ${length} bytes`).toEqual(expect.arrayContaining(found));
    if (length === 0) expect(found).toEqual(all);
  }
});

test("what was made within the clock's tick counts as touched", () => {
  rmSync(record);
  chmodSync(at("top"), 0o600);
  makeRecord();
  expect(touched()).toEqual(["top"]);
});

test("a child's layout tells what was touched since it was prepared; a base layer's has nothing to tell", async () => {
  const driver = await vfs({ root: scratch(), durability: "none" });
  const base = await driver.prepare("making");
  makeTree(base.layout().dir);
  expect(base.layout()).not.toHaveProperty("touched");
  await base.commit("base");
  const child = await driver.prepare("child", "base");
  writeFileSync(join(child.layout().dir, "b/new"), "");
  const layout = child.layout();
  if (layout.format !== "plain" || layout.touched === undefined) throw new Error("the driver does not tell");
  const paths: string[] = [];
  for await (const path of layout.touched()) paths.push(path.toString());
  expect(paths).toEqual(expect.arrayContaining(["b", "b/new"]));
});
