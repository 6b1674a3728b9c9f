import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { missingFacilities, Scratch } from "@strata/conformance/suite";
import { compareTrees } from "@strata/layer";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Calibration } from "../src/calibration.ts";
import { describeLayer, layerArchive } from "../src/dataset/layers.ts";

const missing = missingFacilities(["cc", "tar"]);
const isRoot = missingFacilities(["root"]).length === 0;
const { signal } = new AbortController();

let scratch: Scratch;

beforeEach(() => {
  scratch = new Scratch();
});

afterEach(async () => {
  await scratch[Symbol.asyncDispose]();
});

/** An archive of what is in a directory, by tar itself. */
function archive(name: string, directory: string, ...members: readonly string[]): string {
  const path = scratch.join(name);
  execFileSync("tar", ["--format=posix", "-cf", path, "-C", directory, ...members]);
  return path;
}

/** What differs between what tar makes of an archive and a directory; of the roots, nothing. */
async function differences(path: string, made: string): Promise<string[]> {
  const expected = scratch.join("expected");
  mkdirSync(expected);
  execFileSync("tar", ["-xpf", path, "--numeric-owner", "--delay-directory-restore", "-C", expected]);
  const found: string[] = [];
  for await (const { path, what } of compareTrees(expected, made))
    if (path.length > 0) found.push(`${path}: ${what}`);
  return found;
}

describe.skipIf(missing.length > 0 && !process.env["CI"])("the calibration program", () => {
  it("makes the files of a layer, their owners, modes and times too", async () => {
    const tree = scratch.join("tree");
    mkdirSync(`${tree}/a/b`, { recursive: true });
    mkdirSync(`${tree}/sticky`);
    writeFileSync(`${tree}/a/b/file`, "content");
    writeFileSync(`${tree}/a/setuid`, "x".repeat(300_000));
    writeFileSync(Buffer.concat([Buffer.from(`${tree}/a/`), Buffer.from([0xff, 0xfe])]), "no UTF-8");
    writeFileSync(`${tree}/a/${"long".repeat(40)}`, "");
    symlinkSync("b/file", `${tree}/a/symlink`);
    linkSync(`${tree}/a/b/file`, `${tree}/link`);
    execFileSync("mkfifo", [`${tree}/fifo`]);
    if (isRoot) chownSync(`${tree}/a/setuid`, 1000, 1001);
    if (isRoot) chownSync(`${tree}/a/b`, 33, 33);
    chmodSync(`${tree}/a/setuid`, 0o4711);
    chmodSync(`${tree}/sticky`, 0o1777);
    utimesSync(`${tree}/a/b/file`, 1, 1234.5678);
    utimesSync(`${tree}/a/b`, 1, 2);
    const path = archive("layer.tar", tree, ".");
    const calibration = await Calibration.open(scratch.join("datasets"), [await describeLayer(path)]);
    const { overriddenDuration } = await calibration.makeFiles(scratch.join("made"), {
      processes: 1,
      signal,
    });
    expect(overriddenDuration).toBeGreaterThan(0);
    expect(await differences(path, scratch.join("made/0"))).toEqual([]);
  });

  it("makes directories that a layer does not mention, and takes a name once", async () => {
    const tree = scratch.join("tree");
    mkdirSync(`${tree}/a/b`, { recursive: true });
    writeFileSync(`${tree}/a/b/file`, "first");
    const path = archive("layer.tar", tree, "a/b/file");
    appendFileSync(`${tree}/a/b/file`, " and second");
    writeFileSync(`${tree}/a/b/other`, "other");
    execFileSync("tar", ["-rf", path, "-C", tree, "a/b/file", "a/b/other"]);
    const calibration = await Calibration.open(scratch.join("datasets"), [await describeLayer(path)]);
    await calibration.makeFiles(scratch.join("made"), { processes: 1, signal });
    const made = scratch.join("made/0/a/b");
    expect(readdirSync(made).sort()).toEqual(["file", "other"]);
    expect(lstatSync(`${made}/file`).size).toBe("first".length);
    expect(lstatSync(`${made}/other`).size).toBe("other".length);
  });

  it("comes back to directories that it could not hold open", async () => {
    const names = Array.from({ length: 600 }, (_, index) => `directory-${index}`);
    const tree = scratch.join("tree");
    for (const name of names) {
      mkdirSync(`${tree}/${name}`, { recursive: true });
      writeFileSync(`${tree}/${name}/file`, name);
    }
    const files = names.map((name) => `${name}/file`);
    const path = archive("layer.tar", tree, "--no-recursion", ...names, ...files);
    const calibration = await Calibration.open(scratch.join("datasets"), [await describeLayer(path)]);
    await calibration.makeFiles(scratch.join("made"), { processes: 1, signal });
    expect(await differences(path, scratch.join("made/0"))).toEqual([]);
  });

  it.skipIf(!isRoot)("makes whiteouts as overlayfs has them", async () => {
    const tree = scratch.join("tree");
    mkdirSync(`${tree}/a`, { recursive: true });
    writeFileSync(`${tree}/a/.wh.gone`, "");
    const path = archive("layer.tar", tree, "a");
    const calibration = await Calibration.open(scratch.join("datasets"), [await describeLayer(path)]);
    await calibration.makeFiles(scratch.join("made"), { processes: 1, signal });
    const gone = lstatSync(scratch.join("made/0/a/gone"));
    expect(gone.isCharacterDevice()).toBe(true);
    expect(gone.rdev).toBe(0);
  });

  it("makes several layers with several processes", async () => {
    const datasets = scratch.join("datasets");
    const layers = await Promise.all(
      [1, 2, 3].map((seed) =>
        layerArchive(
          { datasets, seed },
          { shape: "mixed", files: 60, bytes: 1e5, compressible: true },
          "gzip",
        ),
      ),
    );
    const calibration = await Calibration.open(datasets, layers);
    await calibration.makeFiles(scratch.join("made"), { processes: 2, signal });
    const [largest] = layers.toSorted((a, b) => b.bytes - a.bytes);
    expect(readdirSync(scratch.join("made")).sort()).toEqual(["0", "1", "2"]);
    expect(await differences(largest?.path ?? "", scratch.join("made/0"))).toEqual([]);
  });

  it("says what went wrong, and is not waited for", async () => {
    const tree = scratch.join("tree");
    mkdirSync(tree);
    writeFileSync(`${tree}/file`, "content");
    const path = archive("layer.tar", tree, "file");
    const calibration = await Calibration.open(scratch.join("datasets"), [await describeLayer(path)]);
    await calibration.makeFiles(scratch.join("made"), { processes: 2, signal });
    await expect(calibration.makeFiles(scratch.join("made"), { processes: 2, signal })).rejects.toThrow(
      "make-files: file: File exists",
    );
  });
});
