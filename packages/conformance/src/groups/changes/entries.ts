import type { Behaviour } from "../../behaviour.ts";
import { dir, entry, file, gone, link, symlink, xattrs } from "../../tar/entries.ts";
import { gives } from "../../trees/applied-tree.ts";

/** What the entries of a layer give, when it is applied. */
export const entries: readonly Behaviour[] = [
  {
    id: "missing-parents-take-lower-attributes",
    title:
      "a directory without an entry keeps the attributes it has below; one that is nowhere gets the usual",
    origin: "A",
    needs: ["ownership", "xattrs"],
    run: (trial) =>
      gives(
        trial,
        [
          [
            dir("a", { mode: 0o2750, uid: 1, gid: 2, ...xattrs({ "user.k": "v" }) }),
            dir("a/b", { mode: 0o711, mtime: 7 }),
            file("a/b/x"),
          ],
          [file("a/b/y", "own"), file("new/parent/f")],
        ],
        [
          'a/ 2750 1:2 {user.k: "v"}',
          "a/b/ 711 @7",
          'a/b/x = ""',
          'a/b/y = "own"',
          "new/ @0",
          "new/parent/ @0",
          'new/parent/f = ""',
        ],
      ),
  },
  {
    id: "root-attributes",
    title: "the root has the attributes of its newest entry, by any of its names",
    origin: "N",
    needs: ["ownership"],
    run: (trial) =>
      gives(
        trial,
        [[dir("./", { mode: 0o700, uid: 9 })], [dir("/", { mode: 0o750, uid: 1, mtime: 5 })], [file("f")]],
        ["./ 750 1:0 @5", 'f = ""'],
      ),
  },
  {
    id: "dir-mtime-restored",
    title:
      "a directory has its entry's time, or that of below, whatever is put into it or taken out afterwards",
    origin: "U",
    run: (trial) =>
      gives(
        trial,
        [
          [
            dir("a", { pax: { mtime: "1000.000000001" } }),
            file("a/f"),
            dir("a/sub", { mtime: 2000 }),
            file("a/sub/g"),
            file("a/sub/h"),
          ],
          [file("a/new"), gone("a/sub/g"), symlink("a/sub/l", "x")],
        ],
        ["a/ @1000.000000001", 'a/f = ""', 'a/new = ""', "a/sub/ @2000", 'a/sub/h = ""', "a/sub/l -> x"],
      ),
  },
  {
    id: "directory-entry-merges",
    title: "a directory's entry replaces its attributes and keeps what is in it",
    origin: "MSC",
    needs: ["ownership", "xattrs"],
    run: (trial) =>
      gives(
        trial,
        [
          [dir("d", { mode: 0o700, uid: 5, ...xattrs({ "user.below": "1" }) }), file("d/x")],
          [dir("d", { mode: 0o751, gid: 6, ...xattrs({ "user.own": "2" }) })],
        ],
        ['d/ 751 0:6 {user.own: "2"}', 'd/x = ""'],
      ),
  },
  {
    id: "type-changes",
    title: "a path that changes its type between layers, or within one, has nothing of what it was",
    origin: "AU",
    run: (trial) =>
      gives(
        trial,
        [
          [dir("a"), file("a/x"), file("b", "file"), symlink("c", "a"), dir("e"), file("e/below"), dir("m")],
          [
            file("a", "now a file"),
            dir("b"),
            file("b/y"),
            dir("c"),
            file("c/z"),
            symlink("e", "b"),
            dir("m"),
            file("m/x"),
            file("m", "for a moment"),
            dir("m"),
            file("m/own"),
          ],
        ],
        ['a = "now a file"', "b/", 'b/y = ""', "c/", 'c/z = ""', "e -> b", "m/", 'm/own = ""'],
      ),
  },
  {
    id: "duplicate-entries",
    title: "of several entries for one path the last counts",
    origin: "N",
    run: (trial) =>
      gives(
        trial,
        [
          [file("f", "below"), link("g", "f")],
          [
            file("f", "one", { mode: 0o600 }),
            file("f", "two, longer"),
            file("f", "three"),
            dir("d", { mode: 0o700 }),
            file("d/x", "x"),
            dir("d", { mode: 0o711 }),
            symlink("s", "one"),
            symlink("s", "two"),
          ],
        ],
        ["d/ 711", 'd/x = "x"', 'f = "three"', 'g = "below"', "s -> two"],
      ),
  },
  {
    id: "global-pax-header-ignored",
    title: "a global PAX header changes no entry",
    origin: "S",
    run: (trial) => {
      const records = Buffer.from("20 path=/everything\n15 mtime=12345\n");
      const global = entry("pax_global_header", "g", { content: records });
      return gives(trial, [[global, file("f", "F"), dir("d")]], ["d/", 'f = "F"']);
    },
  },
  {
    id: "ustar-gnu-conflict",
    title:
      "a prefix is part of the name, in ustar and in a GNU header as docker of old wrote it; GNU's times are not",
    origin: "S",
    run: (trial) => {
      const gnu = (header: Buffer) => header.write("ustar  \0", 257, "latin1");
      const prefix = (text: string) => (header: Buffer) => header.write(text, 345, "latin1");
      return gives(
        trial,
        [
          [
            file("u", "U", { tamper: prefix("ustar/prefix") }),
            file("g", "G", {
              tamper: (header) => {
                gnu(header);
                prefix("usr/share/some/where")(header);
              },
            }),
            file("t", "T", {
              tamper: (header) => {
                gnu(header);
                prefix("14000000000\0")(header);
              },
            }),
          ],
        ],
        [
          't = "T"',
          "usr/ @0",
          "usr/share/ @0",
          "usr/share/some/ @0",
          "usr/share/some/where/ @0",
          'usr/share/some/where/g = "G"',
          "ustar/ @0",
          "ustar/prefix/ @0",
          'ustar/prefix/u = "U"',
        ],
      );
    },
  },
  {
    id: "symlinked-parent",
    title:
      "entries go through a symlink of their own layer, inside of the root, and replace one of the layer below",
    origin: "MSA",
    run: (trial) =>
      gives(
        trial,
        [
          [dir("usr"), dir("usr/lib"), dir("real"), file("real/kept"), symlink("link", "real")],
          [symlink("lib", "/usr/lib"), file("lib/x"), file("link/y")],
        ],
        [
          "lib -> /usr/lib",
          "link/ @0",
          'link/y = ""',
          "real/",
          'real/kept = ""',
          "usr/",
          "usr/lib/",
          'usr/lib/x = ""',
        ],
      ),
  },
];
