import { compressors } from "./support/compress.ts";
import { type Attack, firstLayer, invalid, refuses, withLayer, withMember } from "./support/hostile.ts";
import { tarOf } from "./support/tar.ts";

const greedy: Attack[] = [
  {
    title: "a bomb for an archive",
    make: async () =>
      compressors["gzip"]?.(await tarOf([{ name: "a", content: Buffer.alloc(80 * 2 ** 20) }])) ??
      Buffer.alloc(0),
    code: invalid,
    says: /maxRatio/,
  },
  {
    title: "a bomb for a layer",
    make: () => withMember(firstLayer, { content: compressors["gzip"]?.(Buffer.alloc(80 * 2 ** 20)) ?? "" }),
    code: invalid,
    says: /maxRatio/,
  },
  {
    title: "too many bytes",
    make: () => withLayer({ big: "x".repeat(9999) }),
    code: invalid,
    says: /maxBytes/,
    options: { limits: { maxBytes: 9000 } },
  },
  {
    title: "too many entries",
    make: () => withLayer(Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`f${n}`, ""]))),
    code: invalid,
    says: /maxEntries/,
    options: { limits: { maxEntries: 15 } },
  },
  {
    title: "too many members",
    make: async () => tarOf(Array.from({ length: 20 }, (_, n) => ({ name: `f${n}` }))),
    code: invalid,
    says: /maxEntries/,
    options: { limits: { maxEntries: 15 } },
  },
  {
    title: "a path too deep",
    make: () => withLayer({ "a/b/c/d/e/f": "" }),
    code: invalid,
    says: /maxDepth/,
    options: { limits: { maxDepth: 4 } },
  },
  {
    title: "a giant header",
    make: () => withLayer({}, [{ name: "x", pax: { comment: "c".repeat(2 ** 20) } }]),
    code: invalid,
    says: /maxHeaderBytes/,
  },
  {
    title: "a layer that goes outside",
    make: () => withLayer({ "../../../../victim": "pwned" }),
    code: invalid,
    says: /\.\./,
  },
  {
    title: "a layer with a hardlink to nothing",
    make: () => withLayer({}, [{ name: "x", type: "link", linkname: "/nowhere" }]),
    code: invalid,
    says: /nowhere/,
  },
];

refuses(greedy);
