import { testCases } from "./apply-cases.ts";
import { char, dir, fifo, file, gone, link, symlink, xattr } from "./build-layer.ts";

const one = file("f", "one");

testCases([
  {
    title: "hardlink-across-layers",
    layers: [
      [
        dir("a", { mode: 0o700 }),
        file("a/f", "text", { mode: 0o4755, uid: 2, ...xattr("user.k", "v") }),
        one,
      ],
      [link("l", "a/f", { mode: 0o4755, uid: 2 }), link("b/m", "a/f", { mode: 0o4755, uid: 2 }), file("z")],
    ],
    tree: [
      "a/ 700",
      'a/f = "text" 4755 2:0',
      "b/ @0",
      'b/m = "text" 4755 2:0 (a/f)',
      'f = "one"',
      'l = "text" 4755 2:0 (a/f)',
      'z = ""',
    ],
  },
  {
    title: "a hard link to a file below, which its own layer deletes or replaces afterwards",
    layers: [
      [file("a", "A"), file("b", "B"), dir("c"), file("c/x", "X")],
      [
        link("la", "a"),
        gone("a"),
        link("lb", "b"),
        file("b", "new"),
        link("lx", "c/x"),
        link("ly", "c/x"),
        gone("c"),
      ],
    ],
    tree: ['b = "new"', 'la = "A"', 'lb = "B"', 'lx = "X"', 'ly = "X" (lx)'],
  },
  {
    title: "a hard link through symlinks, the layer's own and those below",
    layers: [
      [
        dir("usr"),
        dir("usr/lib"),
        file("usr/lib/f", "F"),
        symlink("lib", "usr/lib"),
        symlink("usr/abs", "/usr/lib"),
      ],
      [link("l1", "lib/f"), link("l2", "usr/abs/f"), symlink("own", "/usr"), link("l3", "own/lib/f")],
    ],
    tree: [
      'l1 = "F"',
      'l2 = "F" (l1)',
      'l3 = "F" (l1)',
      "lib -> usr/lib",
      "own -> /usr",
      "usr/",
      "usr/abs -> /usr/lib",
      "usr/lib/",
      'usr/lib/f = "F" (l1)',
    ],
  },
  {
    title: "a hard link to a link to a file below; and one whose place is taken afterwards",
    layers: [[file("f", "F")], [link("l1", "f"), link("l2", "l1"), link("l3", "l2"), file("l2", "mine")]],
    tree: ['f = "F"', 'l1 = "F" (f)', 'l2 = "mine"', 'l3 = "F" (f)'],
  },
  {
    title: "hardlink-to-symlink links the symlink itself, within a layer and across",
    layers: [[symlink("s", "nowhere"), link("t", "s", { mode: 0o777 })], [link("u", "s", { mode: 0o700 })]],
    tree: ["s -> nowhere", "t -> nowhere (s)", "u -> nowhere (s)"],
  },
  {
    title: "hard links to a device and a fifo",
    layers: [
      [char("c", [1, 3]), fifo("p")],
      [link("d", "c"), link("q", "p")],
    ],
    tree: ["c char 1:3", "d char 1:3 (c)", "p fifo", "q fifo (p)"],
  },
  {
    title: "the entry of a hard link sets the attributes of the file, as in docker",
    layers: [[file("f", "x", { mode: 0o600 }), link("l", "f", { mode: 0o755, uid: 3, mtime: 5 })]],
    tree: ['f = "x" 755 3:0 @5', 'l = "x" 755 3:0 @5 (f)'],
  },
  {
    title: "a hard link to itself leaves the file",
    layers: [[file("f", "x"), link("f", "f")]],
    tree: ['f = "x"'],
  },
  {
    title: "a file that was one of several names below is parted from them when it is replaced",
    layers: [[file("a", "x"), link("b", "a")], [file("a", "y")]],
    tree: ['a = "y"', 'b = "x"'],
  },
  {
    title: "many layers, settled side by side",
    layers: Array.from({ length: 20 }, (_, index) => [
      file(`d/e/f${index}`, `${index}`),
      ...(index > 0
        ? [gone(`d/e/f${index - 1}`), link(`d/l${index}`, "base")]
        : [dir("d", { mode: 0o700 }), file("base")]),
    ]),
    tree: [
      'base = ""',
      "d/ 700",
      "d/e/ @0",
      'd/e/f19 = "19"',
      ...Array.from({ length: 19 }, (_, index) => `d/l${index + 1} = "" (base)`).sort(),
    ],
  },
]);
