import { testCases } from "./apply-cases.ts";
import { dir, file, gone, link, symlink } from "./build-layer.ts";

testCases([
  {
    title: "paths absolute, with dots and slashes too many",
    layers: [[dir("/a//b/"), file("./a/./b/../c", "x"), file("//a/d", "y"), link("e", "/a/./c")]],
    tree: ["a/ @0", "a/b/", 'a/c = "x"', 'a/d = "y"', 'e = "x" (a/c)'],
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
]);
