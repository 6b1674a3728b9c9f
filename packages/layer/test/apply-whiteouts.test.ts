import { testCases } from "./apply-cases.ts";
import { char, dir, entry, file, gone, opaque, symlink } from "./build-layer.ts";

const one = file("f", "one");

testCases([
  {
    title: "delete a file, a directory, a symlink",
    layers: [
      [one, dir("d"), dir("d/e"), file("d/e/x"), symlink("s", "d"), file("kept")],
      [gone("f"), gone("d"), gone("s")],
    ],
    tree: ['kept = ""'],
  },
  {
    title: "whiteout-parents take the attributes of the directories below",
    layers: [
      [dir("a", { mode: 0o700 }), dir("a/b", { uid: 4 }), file("a/b/x"), file("a/b/y")],
      [gone("a/b/x")],
    ],
    tree: ["a/ 700", "a/b/ 4:0", 'a/b/y = ""'],
  },
  {
    title: "whiteout-of-nothing, also where there is no directory below",
    layers: [
      [dir("d"), one],
      [gone("nothing"), gone("d/nothing"), gone("no/such/thing")],
    ],
    tree: ["d/", 'f = "one"', "no/ @0", "no/such/ @0"],
  },
  {
    title: "a whiteout below what the layer itself makes a file of, as umoci writes it",
    layers: [
      [dir("d"), file("d/f", "lower"), dir("e"), file("e/f", "lower")],
      [file("d", "a file now"), gone("d/f"), gone("e/f"), file("e", "a file now")],
    ],
    tree: ['d = "a file now"', 'e = "a file now"'],
  },
  {
    title: "a whiteout spares the layer's own file, before it and after it",
    layers: [
      [file("a", "below"), file("b", "below")],
      [gone("a"), file("a", "own"), file("b", "own"), gone("b")],
    ],
    tree: ['a = "own"', 'b = "own"'],
  },
  {
    title: "whiteout-then-child: a directory does not merge with the one it was deleted in favour of",
    layers: [
      [dir("a", { mode: 0o700 }), file("a/x"), dir("b", { mode: 0o700 }), file("b/x")],
      [gone("a"), file("a/y"), file("b/y"), gone("b")],
    ],
    tree: ["a/ @0", 'a/y = ""', "b/ @0", 'b/y = ""'],
  },
  {
    title: "a whiteout over the layer's own directory keeps its entry",
    layers: [
      [dir("a"), file("a/x"), dir("a/sub", { mode: 0o700 }), file("a/sub/x")],
      [dir("a", { mode: 0o711 }), file("a/sub/y"), gone("a")],
    ],
    tree: ["a/ 711", "a/sub/ @0", 'a/sub/y = ""'],
  },
  {
    title: "opaque-order-free and opaque-spares-same-layer",
    layers: [
      [
        dir("a", { mode: 0o700 }),
        file("a/x"),
        dir("b", { mode: 0o700 }),
        file("b/x"),
        dir("b/sub", { uid: 3 }),
      ],
      [opaque("a"), file("a/y"), file("b/y"), file("b/sub/z"), opaque("b")],
    ],
    tree: ["a/ 700", 'a/y = ""', "b/ 700", "b/sub/ @0", 'b/sub/z = ""', 'b/y = ""'],
  },
  {
    title: "plain-whiteout-in-opaque",
    layers: [
      [dir("a"), file("a/x"), file("a/y")],
      [dir("a"), opaque("a"), gone("a/x"), gone("a/never"), file("a/z")],
    ],
    tree: ["a/", 'a/z = ""'],
  },
  {
    title: "an opaque root hides everything below",
    layers: [
      [dir("a"), file("a/x"), one, dir("b"), file("b/x")],
      [file("a/y"), entry(".wh..wh..opq", "0"), file("g", "own")],
    ],
    tree: ["a/ @0", 'a/y = ""', 'g = "own"'],
  },
  {
    title: "delete-recreate-in-third-layer",
    layers: [
      [dir("d"), file("d/old"), one],
      [gone("d"), gone("f")],
      [file("d/new"), file("f", "three")],
    ],
    tree: ["d/ @0", 'd/new = ""', 'f = "three"'],
  },
  {
    title: "a character device 0/0 is a whiteout",
    layers: [
      [one, dir("d"), file("d/x")],
      [char("f", [0, 0]), char("d", [0, 0])],
    ],
    tree: [],
  },
  {
    title: "names of aufs's own are ignored",
    layers: [
      [one],
      [
        file(".wh..wh.aufs"),
        dir(".wh..wh.plnk"),
        file(".wh..wh.plnk/1.2", "x"),
        file("d/.wh..wh.orph"),
        file("none/.wh..wh.orph"),
        dir("d"),
      ],
    ],
    tree: ["d/", 'f = "one"'],
  },
  {
    title: "a name that only looks like a whiteout's",
    layers: [[file("a.wh.b", "x"), file(".wha", "y")]],
    tree: ['.wha = "y"', 'a.wh.b = "x"'],
  },
]);
