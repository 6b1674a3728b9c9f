import { relative } from "node:path";
import type { Behaviour } from "../../behaviour.ts";
import { dir, fifo, file, gone, link, opaque, symlink } from "../../tar/entries.ts";
import { contained, refused } from "../../trees/attack.ts";

const noFile = { message: /which is no file/ };

/** Links that lead out of the tree, and what goes through them. */
export const links: readonly Behaviour[] = [
  contained(
    { id: "symlink-breakout", title: "a file through a symlink that leads out", origin: "A" },
    ({ up }) => [symlink("s", up), file("s/file", "x"), file("s/new", "x")],
  ),
  contained(
    { id: "symlink-breakout-absolute", title: "a file through an absolute symlink to outside", origin: "A" },
    ({ victim }) => [symlink("s", victim), file("s/new", "x"), dir("s/dir", { mode: 0o777 })],
  ),
  contained(
    {
      id: "symlink-breakout-chain",
      title: "a file through symlinks that each lead a step further out",
      origin: "A",
    },
    ({ up }) => [
      symlink("a", ".."),
      symlink("b", "a/.."),
      dir("d"),
      symlink("d/c", `../b/../${up}`),
      file("d/c/file", "x"),
      file(`b/${up.replaceAll("../", "")}/file`, "x"),
    ],
  ),
  contained(
    {
      id: "magic-link-breakout",
      title: "files through symlinks to what /proc says of the process",
      origin: "N",
    },
    ({ victim }) => [
      symlink("cwd", `/proc/self/cwd/${relative(process.cwd(), victim)}`),
      file("cwd/new", "x"),
      symlink("root", `/proc/self/root${victim}`),
      file("root/file", "x"),
    ],
  ),
  contained(
    { id: "override-breakout", title: "a file in the place of a symlink that leads out", origin: "A" },
    ({ victim }) => [symlink("s", `${victim}/file`), file("s", "x", { mode: 0o777, mtime: 1 })],
  ),
  contained(
    {
      id: "override-breakout-types",
      title: "a directory, a fifo and a hard link in the place of symlinks that lead out",
      origin: "A",
    },
    ({ victim }) => [
      ...["d", "p", "l"].map((name) => symlink(name, `${victim}/${name === "d" ? "dir" : "file"}`)),
      dir("d", { mode: 0o777, mtime: 1 }),
      file("d/file", "x"),
      fifo("p", { mode: 0o777 }),
      file("f"),
      link("l", "f"),
    ],
  ),
  refused(
    { id: "hardlink-breakout", title: "a hard link to a file outside", origin: "A" },
    { message: /leads out/ },
    ({ up }) => [link("l", `${up}/file`), file("l", "x")],
  ),
  refused(
    {
      id: "hardlink-breakout-absolute",
      title: "a hard link to a file outside by its absolute path",
      origin: "A",
    },
    noFile,
    ({ victim }) => [link("l", `${victim}/file`), file("l", "x")],
  ),
  refused(
    {
      id: "hardlink-breakout-through-symlink",
      title: "a hard link through a symlink that leads out",
      origin: "A",
    },
    noFile,
    ({ up }) => [symlink("s", up), link("l", "s/file", { mode: 0o777 })],
  ),
  refused(
    {
      id: "symlink-chain-then-hardlink",
      title: "a hard link through a chain of symlinks that are each harmless",
      origin: "N",
    },
    noFile,
    ({ up }) => [
      symlink("a", "."),
      symlink("a/b", ".."),
      symlink("a/b/c", up),
      link("l", "c/file", { mode: 0o777 }),
    ],
  ),
  refused({ id: "hardlink-to-directory", title: "a hard link to a directory", origin: "N" }, noFile, [
    dir("d"),
    link("l", "d"),
  ]),
  contained(
    {
      id: "hardlink-to-symlink-chmod",
      title: "mode, owner and time by way of a hard link to a symlink that leads out",
      origin: "A",
    },
    ({ victim }) => [
      symlink("s", `${victim}/file`),
      link("l", "s", { mode: 0o777, uid: 1000, gid: 1000, mtime: 1 }),
    ],
  ),
  contained(
    {
      id: "whiteout-breakout",
      title: "whiteouts and opaque marks through a symlink that leads out",
      origin: "A",
    },
    ({ up }) => [symlink("s", up), gone("s/file"), gone("s/dir"), opaque("s"), opaque("s/dir")],
  ),
  contained(
    {
      id: "layer-2-through-layer-1s-link",
      title: "files, whiteouts and attributes of a layer through a symlink of the layer below",
      origin: "N",
    },
    ({ up, victim }) => [symlink("s", up), symlink("t", `${victim}/file`), symlink("u", victim)],
    [
      file("s/file", "x"),
      gone("s/dir"),
      file("t", "x", { mode: 0o777 }),
      dir("u", { mode: 0o777 }),
      opaque("u"),
    ],
  ),
  refused(
    {
      id: "layer-2-hardlinks-through-layer-1s-link",
      title: "a hard link of a layer through a symlink of the layer below",
      origin: "N",
    },
    noFile,
    ({ up }) => [symlink("s", up)],
    [link("l", "s/file", { mode: 0o777 })],
  ),
];
