import type { Behaviour } from "../../behaviour.ts";
import { char, dir, entry, file, gone, opaque, xattrs } from "../../tar/entries.ts";
import { gives } from "../../trees/applied-tree.ts";
import { refused } from "../../trees/attack.ts";

/** What deletes, when a layer is applied. */
export const whiteouts: readonly Behaviour[] = [
  {
    id: "plain-whiteouts",
    title: "a whiteout deletes a file, a directory with all in it, a symlink, and nothing else",
    origin: "MSA",
    run: (trial) =>
      gives(
        trial,
        [
          [
            dir("d"),
            dir("d/e"),
            file("d/e/x"),
            file("f", "F"),
            file("kept", "K"),
            dir("other"),
            file("other/f"),
          ],
          [gone("f"), gone("d")],
        ],
        ['kept = "K"', "other/", 'other/f = ""'],
      ),
  },
  {
    id: "opaque-order-free",
    title: "an opaque mark hides what is below whether it comes before or after the layer's own entries",
    origin: "AU",
    run: (trial) =>
      gives(
        trial,
        [
          [dir("a"), file("a/x"), dir("b"), file("b/x"), dir("b/sub"), file("b/sub/x")],
          [opaque("a"), file("a/y"), file("b/y"), file("b/sub/z"), opaque("b")],
        ],
        ["a/", 'a/y = ""', "b/", "b/sub/ @0", 'b/sub/z = ""', 'b/y = ""'],
      ),
  },
  {
    id: "opaque-spares-same-layer",
    title: "an opaque mark and a whiteout spare what their own layer has, before them and after",
    origin: "U",
    run: (trial) =>
      gives(
        trial,
        [
          [dir("d"), file("d/f", "below"), file("a", "below"), file("b", "below")],
          [
            dir("d"),
            file("d/f", "own"),
            opaque("d"),
            file("d/late", "own"),
            gone("a"),
            file("a", "own"),
            file("b", "own"),
            gone("b"),
          ],
        ],
        ['a = "own"', 'b = "own"', "d/", 'd/f = "own"', 'd/late = "own"'],
      ),
  },
  {
    id: "opaque-below-stays",
    title: "what an opaque directory hides stays hidden in the layers above, and what is added to it is seen",
    origin: "N",
    run: (trial) =>
      gives(
        trial,
        [
          [dir("d"), file("d/old"), file("d/again", "first")],
          [dir("d"), opaque("d"), file("d/second")],
          [file("d/again", "third")],
        ],
        ["d/", 'd/again = "third"', 'd/second = ""'],
      ),
  },
  {
    id: "plain-whiteout-in-opaque",
    title: "a whiteout in an opaque directory does no more than the mark does",
    origin: "U",
    run: (trial) =>
      gives(
        trial,
        [
          [dir("a"), file("a/x"), file("a/y")],
          [dir("a"), opaque("a"), gone("a/x"), gone("a/never"), file("a/z")],
        ],
        ["a/", 'a/z = ""'],
      ),
  },
  {
    id: "whiteout-then-child",
    title: "a directory that is deleted and made again in one layer, in either order, has nothing from below",
    origin: "U",
    run: (trial) =>
      gives(
        trial,
        [
          [dir("a", { mode: 0o700 }), file("a/x"), dir("b", { mode: 0o700 }), file("b/x")],
          [gone("a"), file("a/y"), file("b/y"), gone("b")],
        ],
        ["a/ @0", 'a/y = ""', "b/ @0", 'b/y = ""'],
      ),
  },
  ...(["", ".", ".."] as const).map((name) =>
    refused(
      {
        id: `bare-wh${name === "" ? "" : name === "." ? "-dot" : "-dot-dot"}-refused`,
        title: `a whiteout of ${name === "" ? "no name" : JSON.stringify(name)}`,
        origin: "U",
      },
      { message: /whiteout of no name/ },
      [dir("d"), file("d/f")],
      [file(`d/.wh.${name}`)],
    ),
  ),
  refused(
    { id: "inside-whiteout-refused", title: "a directory with a whiteout's name", origin: "N" },
    { message: /inside of a whiteout/ },
    [dir("d"), file("d/f")],
    [dir(".wh.d"), file(".wh.d/f", "x")],
  ),
  {
    id: "whiteout-of-nothing",
    title: "a whiteout of nothing leaves no trace, also where there is no directory below",
    origin: "U",
    run: (trial) =>
      gives(
        trial,
        [
          [dir("d"), file("f", "F")],
          [gone("nothing"), gone("d/nothing"), gone("d/no/such"), gone("f/inner")],
          [file("nothing", "now something")],
        ],
        ["d/", "d/no/ @0", "f/ @0", 'nothing = "now something"'],
      ),
  },
  {
    id: "whiteout-in-first-layer",
    title: "whiteouts in a layer that has none below delete nothing and are not seen",
    origin: "N",
    run: (trial) =>
      gives(trial, [[dir("d"), gone("d/x"), opaque("d"), file("d/f", "F"), gone("y")]], ["d/", 'd/f = "F"']),
  },
  {
    id: "opaque-root",
    title: "an opaque root hides everything below it",
    origin: "N",
    run: (trial) =>
      gives(
        trial,
        [
          [dir("a"), file("a/x"), dir("b"), file("b/x"), file("f")],
          [file("a/y"), entry(".wh..wh..opq", "0"), file("g", "own")],
        ],
        ["a/ @0", 'a/y = ""', 'g = "own"'],
      ),
  },
  {
    id: "nested-overlay-whiteouts",
    title:
      "of an overlay's directory stored in a layer, a device 0/0 deletes and an opaque mark is an attribute that hides nothing",
    origin: "SU",
    needs: ["ownership", "xattrs"],
    run: (trial) =>
      gives(
        trial,
        [
          [dir("upper"), dir("upper/d"), file("upper/d/below"), file("upper/gone")],
          [
            char("upper/gone", [0, 0]),
            dir("upper/d", xattrs({ "trusted.overlay.opaque": "y" })),
            file("upper/d/own"),
          ],
        ],
        ["upper/", 'upper/d/ {trusted.overlay.opaque: "y"}', 'upper/d/below = ""', 'upper/d/own = ""'],
      ),
  },
  {
    id: "aufs-names-ignored",
    title: "what aufs kept in its layers under names of its own is left out",
    origin: "M",
    run: (trial) =>
      gives(
        trial,
        [
          [file("f", "F")],
          [
            file(".wh..wh.aufs"),
            dir(".wh..wh.plnk"),
            file(".wh..wh.plnk/1.2", "x"),
            file("d/.wh..wh.orph"),
            dir("d"),
          ],
        ],
        ["d/", 'f = "F"'],
      ),
  },
];
