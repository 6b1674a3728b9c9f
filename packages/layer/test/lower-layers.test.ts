import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AT_FDCWD, removexattrat, setxattrat } from "@strata/linux";
import { expect } from "vitest";
import { edit, listChanges, names, readDiff, settleTimes, upperOver, useScratch } from "./layouts.ts";
import { asRoot, mountOverlay } from "./overlay-mount.ts";
import { readTar } from "./read-tar.ts";

const scratch = useScratch();

/** Lay one layer over another by real mounts, bottom first. @returns the layers' directories, the nearest first */
function stack(...edits: string[]): string[] {
  const layers: string[] = [];
  for (const [index, script] of edits.entries()) {
    const [below] = layers;
    const dir = below === undefined ? scratch.directory("0") : upperOver(scratch, `${index}`, below);
    if (below === undefined) {
      edit(dir, script);
    } else {
      const upper = { dir, work: scratch.directory(`work-${index}`) };
      const merged = scratch.directory("merged");
      using _mount = mountOverlay({ lowers: layers, upper }, merged);
      edit(merged, script);
    }
    settleTimes(dir, { sec: 1_000_000_000 + index, nsec: 0 });
    layers.unshift(dir);
  }
  return layers;
}

/** The top layer's changes, and what they are if the merged trees with and without it are compared whole. */
async function bothWays([dir = "", ...lowers]: string[]): Promise<{
  native: string[];
  whole: string[];
  bytes: Buffer[];
}> {
  const [before, after] = [scratch.directory("before"), scratch.directory("after")];
  const merged = scratch.directory("merged");
  // One read-only lower is no overlay; an empty one below it changes nothing.
  const empty = scratch.directory("empty");
  const copyMerged = (layers: string[], to: string) => {
    using _mount = mountOverlay({ lowers: [...layers, empty] }, merged);
    execFileSync("cp", ["-aT", merged, to]);
  };
  copyMerged(lowers, before);
  copyMerged([dir, ...lowers], after);
  const overlay = { format: "overlay", dir, lowers } as const;
  const plain = { format: "plain", dir: after, base: before } as const;
  const bytes = [await readDiff(overlay), await readDiff(plain)];
  return { native: await listChanges(overlay), whole: await listChanges(plain), bytes };
}

async function expectAgreement(layers: string[], changes: string[]): Promise<void> {
  const { native, whole, bytes } = await bothWays(layers);
  expect(native).toEqual(changes);
  expect(whole).toEqual(native);
  expect(bytes[0]?.equals(bytes[1] ?? Buffer.alloc(0))).toBe(true);
}

asRoot("a whiteout in a lower layer hides what is below it", async () => {
  const layers = stack("mkdir d; touch d/a d/b", "rm d/a", "echo new > d/a; rm d/b");
  await expectAgreement(layers, ["C .", "C d", "A d/a", "D d/b"]);
});

asRoot("an opaque directory in a lower layer hides what is below it", async () => {
  const layers = stack(
    "mkdir -p d/s; touch d/a d/s/x",
    "rm -r d; mkdir -p d/s; touch d/b",
    "rm -r d; mkdir d; touch d/c",
  );
  await expectAgreement(layers, ["C .", "C d", "D d/b", "A d/c", "D d/s"]);
});

asRoot("delete-recreate-in-third-layer", async () => {
  const layers = stack("mkdir -p d/s; touch d/s/x", "rm -r d", "mkdir -p d/s; touch d/s/x", "rm d/s/x");
  await expectAgreement(layers, ["C d", "C d/s", "D d/s/x"]);
});

asRoot("a directory where a middle layer had a file starts empty", async () => {
  const layers = stack(
    "mkdir d; touch d/old",
    "rm -r d; touch d",
    "rm d; mkdir d; touch d/new",
    "touch d/old",
  );
  await expectAgreement(layers, ["C .", "C d", "A d/old"]);
});

asRoot("a file in a middle layer hides the directory below it, without any mark", async () => {
  const layers = stack(
    "mkdir d; touch d/old",
    "rm -r d; touch d",
    "rm d; mkdir d; touch d/new",
    "touch d/old",
  );
  removexattrat(AT_FDCWD, join(layers[1] ?? "", "d"), "trusted.overlay.opaque");
  await expectAgreement(layers, ["C .", "C d", "A d/old"]);
});

asRoot("a directory merged from many layers is listed once over", async () => {
  const layers = stack(
    "mkdir d; touch d/a",
    "touch d/b",
    "touch d/c d/a",
    "rm d/b",
    "rm -r d; mkdir d; touch d/z",
  );
  await expectAgreement(layers, ["C .", "C d", "D d/a", "D d/c", "A d/z"]);
});

asRoot("a whiteout of nothing says nothing", async () => {
  const layers = stack("mkdir d; touch d/a", "touch d/tmp; rm d/tmp; mkdir n; touch n/x; rm n/x");
  const [top = ""] = layers;
  execFileSync("mknod", [join(top, "d/never-there"), "c", "0", "0"]);
  settleTimes(top, { sec: 1_000_000_001, nsec: 0 });
  await expectAgreement(layers, ["C .", "C d", "A n"]);
});

asRoot("nested-overlay-whiteouts: an xattr whiteout hides what is below it", async () => {
  const layers = stack("mkdir d; touch d/a d/b d/c", "touch d/dummy", "rm -r d; mkdir d; touch d/a d/new");
  const [, middle = ""] = layers;
  const directory = join(middle, "d");
  for (const name of ["a", "b"]) {
    writeFileSync(join(directory, name), "");
    setxattrat(AT_FDCWD, join(directory, name), "trusted.overlay.whiteout", Buffer.from("y"));
  }
  setxattrat(AT_FDCWD, directory, "trusted.overlay.opaque", Buffer.from("x"));
  settleTimes(directory, { sec: 1_000_000_001, nsec: 0 });
  await expectAgreement(layers, ["C .", "C d", "A d/a", "D d/c", "D d/dummy", "A d/new"]);
});

asRoot("an opaque mark on the root of a layer is of no effect, as in the kernel", async () => {
  const layers = stack("touch a", "touch b", "touch c");
  for (const layer of layers) setxattrat(AT_FDCWD, layer, "trusted.overlay.opaque", Buffer.from("y"));
  await expectAgreement(layers, ["C .", "A c"]);
});

asRoot("without lower layers, the layer is the whole tree", async () => {
  const dir = scratch.directory("only");
  edit(dir, "mkdir -p d/e; touch d/e/f; mknod d/whiteout c 0 0");
  settleTimes(dir, { sec: 5, nsec: 0 });
  const overlay = { format: "overlay", dir, lowers: [] } as const;
  expect(await listChanges(overlay)).toEqual(["A .", "A d", "A d/e", "A d/e/f"]);
  expect(names(readTar(await readDiff(overlay)))).toEqual(["./", "d/", "d/e/", "d/e/f"]);
});

asRoot("diff-to-non-parent: any lowers can be compared with", async () => {
  const [top = "", middle = "", bottom = ""] = stack("touch a b", "rm a; touch c", "touch d");
  mkdirSync(join(top, "e"));
  const overlay = { format: "overlay", dir: middle, lowers: [bottom] } as const;
  expect(await listChanges(overlay)).toEqual(["C .", "D a", "A c"]);
});
