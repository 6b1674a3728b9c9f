import { execFileSync } from "node:child_process";
import { expect } from "vitest";
import { applyEveryWay, useWorkers } from "./apply-layers.ts";
import {
  type BuiltEntry,
  char,
  dir,
  entry,
  fifo,
  file,
  gone,
  link,
  opaque,
  symlink,
  xattr,
} from "./build-layer.ts";
import { describeTree } from "./describe-tree.ts";
import { useScratch } from "./layouts.ts";
import { asRoot } from "./overlay-mount.ts";

const scratch = useScratch();
const workers = useWorkers();

interface Case {
  readonly title: string;
  /** Bottom first. */
  readonly layers: readonly (readonly BuiltEntry[])[];
  /** See {@link describeTree}; a directory without an entry anywhere shows as `@0`. */
  readonly tree: readonly string[];
}

const one = file("f", "one");

const cases: readonly Case[] = [
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
  {
    title: "paths absolute, with dots and slashes too many",
    layers: [[dir("/a//b/"), file("./a/./b/../c", "x"), file("//a/d", "y"), link("e", "/a/./c")]],
    tree: ["a/ @0", "a/b/", 'a/c = "x"', 'a/d = "y"', 'e = "x" (a/c)'],
  },
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
    title: "closed directories",
    layers: [
      [dir("d", { mode: 0 }), file("d/f", "x", { mode: 0 }), dir("d/e", { mode: 0o100 })],
      [file("d/e/g", "y")],
    ],
    tree: ["d/ 0", "d/e/ 100", 'd/e/g = "y"', 'd/f = "x" 0'],
  },
  {
    title: "non-UTF8-and-255-byte-names, newlines, spaces",
    layers: [
      [
        file(Buffer.from("caf\xe9/\xff\xfe", "latin1"), "x"),
        file(Buffer.alloc(255, "n"), "y"),
        file("a\nb ", "z"),
        symlink("s", Buffer.from("\xe9\n", "latin1")),
      ],
      [link(Buffer.from("l\xe9", "latin1"), Buffer.from("caf\xe9/\xff\xfe", "latin1")), gone("a\nb ")],
    ],
    tree: [
      "caf\xe9/ @0",
      'caf\xe9/\xff\xfe = "x"',
      'l\xe9 = "x" (caf\xe9/\xff\xfe)',
      `${"n".repeat(255)} = "y"`,
      "s -> \xe9\n",
    ],
  },
  {
    title: "a setgid directory below does not pass on its group",
    layers: [[dir("d", { mode: 0o2755, gid: 50 })], [file("d/f", "x"), dir("d/e"), symlink("d/s", "f")]],
    tree: ["d/ 2755 0:50", "d/e/", 'd/f = "x"', "d/s -> f"],
  },
];

for (const { title, layers, tree } of cases) {
  asRoot(title, async () => {
    const result = await applyEveryWay(workers, scratch, layers);
    expect(describeTree(result, { root: tree[0]?.startsWith("./") ?? false })).toEqual(tree);
  });
}

function xattrsOf(path: string): string[] {
  const listed = execFileSync("getfattr", ["-hm-", "-e", "hex", "-d", "--absolute-names", path]).toString();
  return listed.split("\n").filter((line) => line.includes("="));
}

asRoot("security.capability survives, also where the owner changes, and any other bytes do", async () => {
  const capability = Buffer.from("0100000200040000000000000000000000000000", "hex");
  const options = { uid: 4, gid: 5, mode: 0o755, ...xattr("security.capability", capability) };
  const tree = await applyEveryWay(workers, scratch, [[file("f", "x", options)], [link("l", "f", options)]]);
  expect(xattrsOf(`${tree}/f`)).toEqual([`security.capability=0x${capability.toString("hex")}`]);
});

asRoot("selinux-and-nfs4-xattrs-masked", async () => {
  const attributes = { "SCHILY.xattr.security.selinux": "x", "SCHILY.xattr.system.nfs4_acl": "y" };
  const tree = await applyEveryWay(workers, scratch, [
    [file("f", "", { pax: attributes }), dir("d", { pax: attributes })],
  ]);
  expect([...xattrsOf(`${tree}/f`), ...xattrsOf(`${tree}/d`)]).toEqual([]);
});

asRoot("overlay-xattrs-escaped: what an archive says is never taken for overlayfs's own", async () => {
  const attributes = {
    "SCHILY.xattr.trusted.overlay.opaque": "y",
    "SCHILY.xattr.trusted.overlay.redirect": "/etc",
    "SCHILY.xattr.trusted.other": "z",
  };
  const layers = [
    [dir("d"), file("d/below")],
    [dir("d", { pax: attributes }), file("f", "", { pax: attributes })],
  ];
  const tree = await applyEveryWay(workers, scratch, layers);
  expect(describeTree(tree)).toEqual(["d/", 'd/below = ""', 'f = ""']);
  expect(xattrsOf(`${tree}/d`)).toEqual([
    "trusted.other=0x7a",
    "trusted.overlay.opaque=0x79",
    "trusted.overlay.redirect=0x2f657463",
  ]);
});

asRoot("attributes that no Linux file system can hold are left out", async () => {
  const tree = await applyEveryWay(workers, scratch, [
    [symlink("s", "t", xattr("user.k", "v")), fifo("p", xattr("user.k", "v"))],
  ]);
  expect(describeTree(tree)).toEqual(["p fifo", "s -> t"]);
});

asRoot("many layers, settled side by side", async () => {
  const layers = Array.from({ length: 20 }, (_, index) => [
    file(`d/e/f${index}`, `${index}`),
    ...(index > 0
      ? [gone(`d/e/f${index - 1}`), link(`d/l${index}`, "base")]
      : [dir("d", { mode: 0o700 }), file("base")]),
  ]);
  const tree = await applyEveryWay(workers, scratch, layers);
  expect(describeTree(tree).slice(0, 4)).toEqual(['base = ""', "d/ 700", "d/e/ @0", 'd/e/f19 = "19"']);
});
