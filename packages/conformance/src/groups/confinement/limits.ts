import { gzipSync } from "node:zlib";
import type { Behaviour } from "../../behaviour.ts";
import { headerBlock } from "../../tar/encode.ts";
import { dir, entry, file } from "../../tar/entries.ts";
import { refused } from "../../trees/attack.ts";

/** Archives that ask for too much. */
export const limits: readonly Behaviour[] = [
  refused(
    { id: "ratio-cap", title: "a layer of some kilobytes that unpacks to many megabytes", origin: "N" },
    { message: /maxRatio/ },
    () => {
      const mebibyte = gzipSync(Buffer.alloc(2 ** 20));
      const header = headerBlock(file("f", "", { size: 100 * 2 ** 20 }));
      return Buffer.concat([gzipSync(header), ...Array.from({ length: 100 }, () => mebibyte)]);
    },
  ),
  refused(
    { id: "bytes-cap", title: "a layer of more bytes than are allowed", origin: "N" },
    { message: /maxBytes/, limits: { maxBytes: 50_000 } },
    [dir("d"), file("d/f", "x".repeat(60_000))],
  ),
  refused(
    {
      id: "bytes-cap-of-holes",
      title: "a file larger than is allowed, though it is nearly all hole,",
      origin: "N",
    },
    { message: /maxBytes/ },
    [file("f", "x", { pax: { "GNU.sparse.map": "0,1", "GNU.sparse.size": `${2 ** 49}` } })],
  ),
  refused(
    { id: "entry-cap", title: "a layer of more entries than are allowed", origin: "N" },
    { message: /maxEntries/, limits: { maxEntries: 100 } },
    Array.from({ length: 101 }, (_, index) => file(`f${index}`)),
  ),
  refused(
    { id: "depth-cap", title: "a file deeper down than is allowed", origin: "N" },
    { message: /maxDepth/ },
    [file(`${"d/".repeat(600)}f`)],
  ),
  refused(
    { id: "oversize-pax-header", title: "an entry with a PAX header beyond the size allowed", origin: "N" },
    { message: /maxHeaderBytes/ },
    [file("f", "", { pax: { comment: "c".repeat(2 ** 20) } })],
  ),
  refused(
    {
      id: "oversize-pax-header-announced",
      title: "an extended header that says to be larger than memory",
      origin: "N",
    },
    { message: /maxHeaderBytes/ },
    [entry("././@LongLink", "L", { size: 2 ** 32, content: Buffer.from("n".repeat(512)) }), file("f")],
  ),
  refused(
    { id: "sparse-map-bomb", title: "a sparse file with a map of a million runs", origin: "N" },
    { message: /maxHeaderBytes/ },
    [
      file("f", `1000000\n${"0\n".repeat(1_000_000)}`, {
        pax: { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1" },
      }),
    ],
  ),
  refused(
    {
      id: "sparse-map-outside",
      title: "a sparse file with runs that lie beyond its end or over each other",
      origin: "N",
    },
    { message: /sparse map/ },
    [
      file("f", "y".repeat(20), {
        pax: { "GNU.sparse.map": "0,10,95,10", "GNU.sparse.size": "100", "GNU.sparse.name": "f" },
      }),
    ],
  ),
];
