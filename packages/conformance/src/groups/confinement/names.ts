import type { Behaviour } from "../../behaviour.ts";
import { dir, file, link, symlink } from "../../tar/entries.ts";
import { contained, refused } from "../../trees/attack.ts";

const leadsOut = { message: /leads out/ };

/** Names that lead out of the tree, or that are none. */
export const names: readonly Behaviour[] = [
  refused({ id: "dot-dot", title: "a name that begins with dot-dot", origin: "SU" }, leadsOut, ({ up }) => [
    file(`${up}/file`, "x"),
  ]),
  refused(
    { id: "dot-dot-absolute", title: "an absolute name that leads above the root", origin: "SU" },
    leadsOut,
    ({ up }) => [file(`/${up}/new`, "x")],
  ),
  refused(
    { id: "dot-dot-inside", title: "a name that leads out by way of a directory inside", origin: "SU" },
    leadsOut,
    ({ up }) => [dir("a"), dir("a/b"), file(`a/b/../../${up}/file`, "x")],
  ),
  refused(
    { id: "dot-dot-through-symlink", title: "a name that leads out by way of a symlink", origin: "SU" },
    leadsOut,
    ({ up, victim }) => [symlink("s", victim), file(`s/../${up}/file`, "x")],
  ),
  refused({ id: "dot-dot-at-end", title: "a directory that is above the root", origin: "U" }, leadsOut, [
    dir("a"),
    dir("a/../..", { mode: 0o777 }),
  ]),
  refused(
    { id: "dot-dot-whiteout", title: "a whiteout of what lies outside", origin: "U" },
    { message: /leads out|inside of a whiteout/ },
    ({ up }) => [file(`.wh.${up}/file`)],
  ),
  contained(
    { id: "absolute-name", title: "an absolute name is one below the root", origin: "N" },
    ({ victim }) => [file(`${victim}/file`, "x"), dir(`${victim}/dir`, { mode: 0o777 })],
  ),
  refused({ id: "empty-name", title: "an entry without a name", origin: "A" }, { message: /empty name/ }, [
    file("", "x"),
  ]),
  refused(
    { id: "name-with-nul", title: "a name that goes on after a NUL", origin: "N" },
    { message: /NUL/ },
    [file("f", "x", { pax: { path: "a\0/../../b" } })],
  ),
  refused(
    { id: "root-type-change-symlink", title: "a symlink in the place of the root", origin: "U" },
    { message: /makes the root a symlink/ },
    ({ victim }) => [symlink(".", victim), file("new", "x")],
  ),
  refused(
    { id: "root-type-change-file", title: "a file in the place of the root", origin: "U" },
    { message: /makes the root a file/ },
    [file("a/..", "x")],
  ),
  refused(
    { id: "root-type-change-hardlink", title: "a hard link in the place of the root", origin: "U" },
    { message: /makes the root a link/ },
    [file("f"), link("./", "f")],
  ),
  refused(
    { id: "file-as-directory", title: "a name below a file of the same layer", origin: "N" },
    { message: /is a file of the same layer/ },
    [file("f", "x"), file("f/new", "y")],
  ),
  refused(
    { id: "symlink-circle", title: "a name through symlinks that lead in a circle", origin: "N" },
    { message: /too many symlinks/ },
    [symlink("a", "b"), symlink("b", "a"), file("a/x", "y")],
  ),
];
