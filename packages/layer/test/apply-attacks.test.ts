import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type ErrorCode, isStrataError } from "@strata/core";
import { describe, expect, it } from "vitest";
import { applyOverlay, applyPlain, applyPlainChain, type Layer, useWorkers } from "./apply-layers.ts";
import { type BuiltEntry, dir, entry, fifo, file, gone, link, opaque, symlink, tar } from "./build-layer.ts";
import { useScratch } from "./layouts.ts";
import { asRoot } from "./overlay-mount.ts";

const scratch = useScratch();
const workers = useWorkers();

interface Attack {
  readonly title: string;
  /** Bottom first. `VICTIM` in names and targets stands for the path of a directory outside of the root. */
  readonly layers: readonly (readonly BuiltEntry[])[];
  /** The error, if it must be refused; else it may do what it likes, inside of the root. */
  readonly refused?: RegExp;
}

// The root is `<scratch>/<tree>`, the victim `<scratch>/victim`, with `file` (mode 644), `dir/` and `dir/file` in it.
const up = "../victim";

const attacks: readonly Attack[] = [
  {
    title: "dot-dot",
    layers: [[file(`${up}/new`, "x")]],
    refused: /"\/\.\.\/victim\/" is refused: it leads out/,
  },
  { title: "dot-dot, absolute", layers: [[file(`/${up}/new`, "x")]], refused: /it leads out/ },
  {
    title: "dot-dot behind a directory",
    layers: [[dir("a"), file(`a/../${up}/new`, "x")]],
    refused: /it leads out/,
  },
  { title: "dot-dot at the end", layers: [[dir("a"), dir("a/../..")]], refused: /it leads out/ },
  { title: "an absolute path is one inside of the root", layers: [[file("VICTIM/file", "x")]] },
  { title: "symlink to outside, file through it", layers: [[symlink("s", up), file("s/file", "x")]] },
  { title: "absolute symlink, file through it", layers: [[symlink("s", "VICTIM"), file("s/new", "x")]] },
  { title: "chain of symlinks", layers: [[symlink("a", "b"), symlink("b", "VICTIM"), file("a/file", "x")]] },
  {
    title: "symlink to the parent, then on",
    layers: [[dir("d"), symlink("d/s", "../.."), file("d/s/victim/file", "x")]],
  },
  { title: "symlink into /proc", layers: [[symlink("s", "/proc/self/cwd"), file("s/new", "x")]] },
  { title: "file over a symlink to outside", layers: [[symlink("s", "VICTIM/file"), file("s", "x")]] },
  {
    title: "directory over a symlink to outside",
    layers: [[symlink("s", "VICTIM/dir"), dir("s", { mode: 0o777 })]],
  },
  {
    title: "fifo, device and link over a symlink to outside",
    layers: [
      [symlink("s", "VICTIM/file"), fifo("s"), symlink("s", "VICTIM/file"), file("f"), link("s", "f")],
    ],
  },
  {
    title: "hardlink to outside",
    layers: [[link("l", `${up}/file`), file("l", "x")]],
    refused: /it leads out/,
  },
  {
    title: "hardlink to outside, absolute",
    layers: [[link("l", "VICTIM/file"), file("l", "x")]],
    refused: /which is no file/,
  },
  {
    title: "hardlink through a symlink to outside",
    layers: [[symlink("s", "VICTIM"), link("l", "s/file")]],
    refused: /which is no file/,
  },
  {
    title: "hardlink-to-symlink-chmod",
    layers: [[symlink("s", "VICTIM/file"), link("l", "s", { mode: 0o777, uid: 1000, mtime: 1 })]],
  },
  {
    title: "symlink-chain-then-hardlink",
    layers: [[symlink("a", "."), symlink("a/b", up), link("l", "a/b/file")]],
    refused: /which is no file/,
  },
  { title: "hardlink to a directory", layers: [[dir("d"), link("l", "d")]], refused: /which is no file/ },
  { title: "hardlink to the root", layers: [[link("l", "/")]], refused: /to the root/ },
  {
    title: "hardlink to nothing",
    layers: [[link("l", "nothing")]],
    refused: /"\/l" is refused: .*"\/nothing", which is no file/,
  },
  {
    title: "hardlink to what the layer below deletes",
    layers: [[file("f")], [gone("f")], [link("l", "f")]],
    refused: /which is no file/,
  },
  {
    title: "hardlink to what the layer itself has deleted before: by a whiteout",
    layers: [
      [dir("d"), file("d/x")],
      [gone("d"), link("l", "d/x")],
    ],
    refused: /which is no file/,
  },
  {
    title: "hardlink to what the layer itself has deleted before: by an opaque directory",
    layers: [
      [dir("d"), file("d/x")],
      [opaque("d"), link("l", "d/x")],
    ],
    refused: /which is no file/,
  },
  {
    title: "hardlink to what the layer itself has deleted before: by an opaque root",
    layers: [[file("x")], [file(".wh..wh..opq"), link("l", "x")]],
    refused: /which is no file/,
  },
  {
    title: "whiteout through a symlink to outside",
    layers: [[symlink("s", up), gone("s/file"), opaque("s")]],
  },
  {
    title: "whiteout of dot-dot",
    layers: [[file(`.wh.${up}/file`)]],
    refused: /inside of a whiteout|leads out/,
  },
  {
    title: "bare-.wh.-refused",
    layers: [[file("d/.wh.")]],
    refused: /"\/d\/\.wh\." is refused: it is a whiteout of no name/,
  },
  { title: "whiteout of the directory itself", layers: [[file("d/.wh..")]], refused: /whiteout of no name/ },
  { title: "whiteout of the parent", layers: [[file("d/.wh...")]], refused: /whiteout of no name/ },
  {
    title: "a directory that is a whiteout",
    layers: [[dir(".wh.d"), file(".wh.d/x")]],
    refused: /inside of a whiteout/,
  },
  {
    title: "root-type-change: symlink",
    layers: [[symlink(".", "VICTIM"), file("new", "x")]],
    refused: /the root a symlink/,
  },
  { title: "root-type-change: file", layers: [[file("a/..", "x")]], refused: /the root a file/ },
  { title: "root-type-change: hardlink", layers: [[file("f"), link("./", "f")]], refused: /the root a link/ },
  { title: "empty-name", layers: [[file("", "x")]], refused: /empty name/ },
  {
    title: "a file as a directory",
    layers: [[file("f", "x"), file("f/new", "y")]],
    refused: /"f" in it is a file of the same layer/,
  },
  {
    title: "symlinks in a circle",
    layers: [[symlink("a", "b"), symlink("b", "a"), file("a/x", "y")]],
    refused: /too many symlinks/,
  },
  {
    title: "layer-2-through-layer-1's-link",
    layers: [[symlink("s", up)], [file("s/file", "x"), gone("s/dir")]],
  },
  {
    title: "layer 2 hardlinks through layer 1's link",
    layers: [[symlink("s", "VICTIM")], [link("l", "s/file")]],
    refused: /which is no file/,
  },
  { title: "a NUL in a name", layers: [[file("f", "x", { pax: { path: "a\0b" } })]], refused: /holds a NUL/ },
  {
    title: "a NUL in a link's target",
    layers: [[entry("l", "1", { pax: { linkpath: "a\0b" } })]],
    refused: /holds a NUL/,
  },
  {
    title: "an owner that means no change",
    layers: [[file("f", "x", { pax: { uid: "4294967295" } })]],
    refused: /impossible owner/,
  },
];

const code: ErrorCode = "InvalidArgument";

for (const { title, layers, refused } of attacks) {
  describe(title, () => {
    const arm = () => layers.map((layer) => tar(...layer.map((built) => aim(built, victimOf(scratch.path)))));
    const forms: [string, (armed: Layer[]) => Promise<unknown>][] = [
      ["plain", (armed) => applyPlainChain(workers, scratch, armed)],
      ["overlay, side by side", (armed) => applyOverlay(workers, scratch, armed, "parallel")],
      ["overlay, in order", (armed) => applyOverlay(workers, scratch, armed, "sequential")],
    ];
    for (const [form, apply] of forms) {
      asRoot(form, async () => {
        const untouched = makeVictim(scratch.path);
        const applied = apply(arm());
        if (refused === undefined) await applied;
        else await expect(applied).rejects.toMatchObject({ code, message: expect.stringMatching(refused) });
        expect(untouched()).toBe(true);
      });
    }
  });
}

it("symlink-swap-during-extract: directories that are swapped for symlinks meanwhile lead nowhere", async () => {
  makeVictim(scratch.path);
  const victim = victimOf(scratch.path);
  // More directories than are kept open, so that each is opened again and again; the victim has all of them too.
  const names = Array.from({ length: 120 }, (_, index) => `b${index}`);
  for (const name of names) mkdirSync(join(victim, name));
  const rounds = Array.from({ length: 20 }, (_, round) =>
    names.map((name) => file(`a/${name}/f${round}`, "x")),
  );
  const path = join(scratch.path, "swapped.tar");
  writeFileSync(path, tar(...rounds.flat()));
  for (let attempt = 0; attempt < 5; attempt++) {
    const tree = scratch.directory(`tree-${attempt}`);
    let done = false;
    const applied = workers.apply({ source: { path }, layout: { format: "plain", dir: tree } });
    const settled = applied.then(
      () => undefined,
      (error) => error,
    );
    void settled.then(() => {
      done = true;
    });
    // Let it get into the second round.
    while (!done && !existsSync(join(tree, "a/b5/f1"))) await setTimeout(0);
    renameSync(join(tree, "a"), join(tree, "away"));
    symlinkSync(victim, join(tree, "a"));
    const error = await settled;
    if (error !== undefined) expect(isStrataError(error)).toBe(true);
    for (const name of names) expect(readdirSync(join(victim, name))).toEqual([]);
  }
});

it("what was there before is not the layer's to change: a snapshot with files in it is refused", async () => {
  const tree = scratch.directory("used");
  writeFileSync(join(tree, "mine"), "x");
  const path = join(scratch.path, "layer.tar");
  writeFileSync(path, tar(file("mine", "y")));
  await expect(
    workers.apply({ source: { path }, layout: { format: "plain", dir: tree } }),
  ).rejects.toMatchObject({
    code: "FailedPrecondition",
  });
  expect(readFileSync(join(tree, "mine"), "utf8")).toBe("x");
});

it("leaves the time and mode of the files it is refused for alone: a failed layer touches its own tree only", async () => {
  const untouched = makeVictim(scratch.path);
  const layer = tar(
    file("before", "x"),
    symlink("s", victimOf(scratch.path)),
    file("s/../../victim/file", "x"),
  );
  await expect(applyPlain(workers, scratch, layer)).rejects.toMatchObject({ code });
  expect(untouched()).toBe(true);
});

function victimOf(path: string): string {
  return join(path, "victim");
}

/** @returns whether it is still as it was */
function makeVictim(path: string): () => boolean {
  const victim = victimOf(path);
  rmSync(victim, { recursive: true, force: true });
  mkdirSync(join(victim, "dir"), { recursive: true });
  writeFileSync(join(victim, "file"), "precious", { mode: 0o644 });
  writeFileSync(join(victim, "dir/file"), "precious too");
  const look = () =>
    ["", "file", "dir", "dir/file"].map((name) => {
      const at = join(victim, name);
      if (!existsSync(at)) return `${name} is gone`;
      const { mode, uid, gid, mtimeMs, ctimeMs, nlink } = lstatSync(at);
      const content = name.endsWith("file") ? readFileSync(at, "utf8") : readdirSync(at).join();
      return [name, mode, uid, gid, mtimeMs, ctimeMs, nlink, content].join();
    });
  const before = look();
  return () => look().join("\n") === before.join("\n");
}

function aim(built: BuiltEntry, victim: string): BuiltEntry {
  const aimed = (name: string | Buffer) => (typeof name === "string" ? name.replace("VICTIM", victim) : name);
  return { ...built, path: aimed(built.path), link: aimed(built.link) };
}
