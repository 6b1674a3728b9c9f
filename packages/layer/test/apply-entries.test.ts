import { testCases } from "./apply-cases.ts";
import { char, dir, entry, fifo, file, link, symlink, xattr } from "./build-layer.ts";

testCases([
  {
    title: "one of everything",
    layers: [
      [
        dir("d", { mode: 0o1777, uid: 1, gid: 2 }),
        file("d/f", "text", { mode: 0o640 }),
        link("d/l", "d/f", { mode: 0o640 }),
        symlink("d/s", "../anywhere", { uid: 3 }),
        fifo("d/p", { mode: 0o600 }),
        char("d/c", [1, 3], { mode: 0o666 }),
        entry("d/b", "4", { device: [8, 1], mode: 0o660 }),
      ],
    ],
    tree: [
      "d/ 1777 1:2",
      "d/b block 8:1 660",
      "d/c char 1:3 666",
      'd/f = "text" 640',
      'd/l = "text" 640 (d/f)',
      "d/p fifo 600",
      "d/s -> ../anywhere 3:0",
    ],
  },
  {
    title: "setuid-after-chown",
    layers: [
      [file("f", "", { mode: 0o6755, uid: 7, gid: 8 }), dir("d", { mode: 0o2775, gid: 8 }), file("d/f", "")],
    ],
    tree: ["d/ 2775 0:8", 'd/f = ""', 'f = "" 6755 7:8'],
  },
  {
    title: "duplicate-entries: the later one counts",
    layers: [
      [
        file("f", "one"),
        file("f", "two"),
        dir("d", { mode: 0o700 }),
        file("d/x", "x"),
        dir("d", { mode: 0o711 }),
      ],
    ],
    tree: ["d/ 711", 'd/x = "x"', 'f = "two"'],
  },
  {
    title: "a path changes its type within a layer",
    layers: [
      [
        dir("a"),
        file("a/x"),
        file("a", "file"),
        file("b", "file"),
        dir("b"),
        file("b/y"),
        symlink("c", "b"),
        dir("c"),
        file("c/z"),
      ],
    ],
    tree: ['a = "file"', "b/", 'b/y = ""', "c/", 'c/z = ""'],
  },
  {
    title: "a path leads elsewhere once a symlink on it was replaced",
    layers: [[dir("a"), symlink("s", "a"), file("s/x"), dir("s"), file("s/y"), file("s", "z")]],
    tree: ["a/", 'a/x = ""', 's = "z"'],
  },
  {
    title: "a path changes its type between layers",
    layers: [
      [dir("a"), file("a/x"), file("b", "file"), symlink("c", "a"), dir("e"), file("e/below")],
      [file("a", "now a file"), dir("b"), file("b/y"), dir("c"), file("c/z"), symlink("e", "b")],
    ],
    tree: ['a = "now a file"', "b/", 'b/y = ""', "c/", 'c/z = ""', "e -> b"],
  },
  {
    title: "a directory after a file after a directory does not merge with the one below",
    layers: [
      [dir("d"), file("d/below")],
      [file("d", "for a moment"), dir("d"), file("d/own")],
    ],
    tree: ["d/", 'd/own = ""'],
  },
  {
    title: "a directory entry replaces the attributes of the one below and keeps what is in it",
    layers: [
      [dir("d", { mode: 0o700, uid: 5, ...xattr("user.below", "1") }), file("d/x")],
      [dir("d", { mode: 0o751, gid: 6, ...xattr("user.own", "2") })],
    ],
    tree: ["d/ 751 0:6", 'd/x = ""'],
  },
  {
    title: "the root takes the attributes of its entry, by any of its names",
    layers: [[dir("./", { mode: 0o700, uid: 9 })], [dir("/", { mode: 0o750, uid: 1 })], [file("f")]],
    tree: ["./ 750 1:0", 'f = ""'],
  },
  {
    title: "without an entry the root is that of docker, of the same time always",
    layers: [[file("f")]],
    tree: ["./ @0", 'f = ""'],
  },
  { title: "an empty layer", layers: [[dir("d"), file("d/f")], []], tree: ["d/", 'd/f = ""'] },
  {
    title: "missing-parents-take-lower-attributes",
    layers: [
      [
        dir("a", { mode: 0o2750, uid: 1, gid: 2, ...xattr("user.k", "v") }),
        dir("a/b", { mode: 0o711 }),
        file("a/b/x"),
      ],
      [file("a/b/y", "own"), file("new/parent/f")],
    ],
    tree: [
      "a/ 2750 1:2",
      "a/b/ 711",
      'a/b/x = ""',
      'a/b/y = "own"',
      "new/ @0",
      "new/parent/ @0",
      'new/parent/f = ""',
    ],
  },
  {
    title: "a missing parent takes the place of a symlink or file below",
    layers: [
      [dir("real"), file("real/kept"), symlink("link", "real"), file("f", "file")],
      [file("link/x"), file("f/y")],
    ],
    tree: ["f/ @0", 'f/y = ""', "link/ @0", 'link/x = ""', "real/", 'real/kept = ""'],
  },
  {
    title: "a symlink of the same layer is followed, inside of the root",
    layers: [
      [dir("usr"), dir("usr/lib", { mode: 0o711 }), file("usr/lib/below")],
      [
        symlink("lib", "/usr/lib"),
        file("lib/x"),
        dir("d"),
        symlink("d/up", "../../../../usr/lib/../lib"),
        file("d/up/y"),
        symlink("dangling", "made/on/demand"),
        file("dangling/z"),
      ],
    ],
    tree: [
      "d/",
      "d/up -> ../../../../usr/lib/../lib",
      "dangling -> made/on/demand",
      "lib -> /usr/lib",
      "made/ @0",
      "made/on/ @0",
      "made/on/demand/ @0",
      'made/on/demand/z = ""',
      "usr/",
      "usr/lib/ 711",
      'usr/lib/below = ""',
      'usr/lib/x = ""',
      'usr/lib/y = ""',
    ],
  },
  {
    title: "closed directories",
    layers: [
      [dir("d", { mode: 0 }), file("d/f", "x", { mode: 0 }), dir("d/e", { mode: 0o100 })],
      [file("d/e/g", "y")],
    ],
    tree: ["d/ 0", "d/e/ 100", 'd/e/g = "y"', 'd/f = "x" 0'],
  },
  {
    title: "a setgid directory below does not pass on its group",
    layers: [[dir("d", { mode: 0o2755, gid: 50 })], [file("d/f", "x"), dir("d/e"), symlink("d/s", "f")]],
    tree: ["d/ 2755 0:50", "d/e/", 'd/f = "x"', "d/s -> f"],
  },
]);
