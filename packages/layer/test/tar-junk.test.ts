import { describe, expect, it } from "vitest";
import { block, dir, encode, entry, file, pad, sign, tar } from "./build-layer.ts";
import { read } from "./read-archive.ts";

describe("junk-and-truncated-streams", () => {
  const bad: [title: string, archive: Buffer, message: RegExp][] = [
    ["text", Buffer.from("not a tar archive at all, ".repeat(100)), /checksum/],
    ["a flipped bit in a header", flip(tar(file("f", "x")), 3), /checksum/],
    ["half a header", tar(file("f")).subarray(0, 300), /middle of an entry/],
    ["half a content", tar(file("f", "x".repeat(600))).subarray(0, 700), /middle of an entry/],
    [
      "an extended header without its entry",
      encode(file("f", "", { pax: { path: "x" } })).subarray(0, 1024),
      /middle of an entry/,
    ],
    [
      "an entry after a block of zeros",
      Buffer.concat([Buffer.alloc(512), tar(file("f"))]),
      /follows a block of zeros/,
    ],
    [
      "a negative size",
      sizeOf([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]),
      /negative size/,
    ],
    [
      "a size beyond 2^53",
      sizeOf([0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]),
      /the size of a header/,
    ],
    ["letters for a number", sizeOf([...Buffer.from("0000000000x\0")]), /the size of a header/],
    ["an unknown type", tar(entry("f", "Z")), /unknown type "Z"/],
    [
      "a PAX record without its newline",
      tar(entry("p", "x", { content: Buffer.from("9 path=ab") })),
      /PAX record/,
    ],
    [
      "a PAX record longer than its header",
      tar(entry("p", "x", { content: Buffer.from("99 path=ab\n") })),
      /PAX record/,
    ],
    ["a PAX record of no length", tar(entry("p", "x", { content: Buffer.from("path=ab\n") })), /PAX record/],
    ["a PAX size that is none", tar(file("f", "", { pax: { size: "-1" } })), /PAX record size/],
    ["a sparse map that overlaps", sparseMap("0,10,5,10", 20, 100), /overlap/],
    ["a sparse map beyond the file", sparseMap("0,10,95,10", 20, 100), /does not fit/],
    ["a sparse map of other bytes than are there", sparseMap("0,10", 20, 100), /does not fit/],
    ["a sparse map with half a pair", sparseMap("0,10,20", 10, 100), /odd number/],
    [
      "a sparse file without a size",
      tar(file("f", "x", { pax: { "GNU.sparse.map": "0,1" } })),
      /has no size/,
    ],
  ];
  for (const [title, archive, message] of bad) {
    it(title, () => {
      expect(() => read(archive)).toThrow(
        expect.objectContaining({ code: "InvalidArgument", message: expect.stringMatching(message) }),
      );
      expect(() => read(archive, 100)).toThrow(message);
    });
  }

  it("every cut inside of an archive is noticed, or leaves it without an end mark", () => {
    const archive = tar(dir("d"), file("d/f", "content"), file(`d/${"n".repeat(150)}`, "y"));
    const end = archive.length - 1024;
    for (let length = 0; length < end; length += 100) {
      const cut = archive.subarray(0, length);
      let ended: boolean | undefined;
      try {
        ended = read(cut).ended;
      } catch {
        continue;
      }
      expect(ended, `${length} bytes`).toBe(false);
    }
  });

  it("what follows the end mark is ignored", () => {
    const { entries, ended } = read(
      Buffer.concat([tar(file("f")), Buffer.from("trailing junk"), tar(file("g"))]),
    );
    expect([entries.length, ended]).toEqual([1, true]);
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

/** An archive of a file whose size field is these bytes. */
function sizeOf(field: number[]): Buffer {
  const header = block(file("f"));
  header.set(field, 124);
  return Buffer.concat([sign(header), Buffer.alloc(1024)]);
}

function sparseMap(map: string, stored: number, size: number): Buffer {
  const pax = { "GNU.sparse.map": map, "GNU.sparse.size": `${size}`, "GNU.sparse.name": "f" };
  return Buffer.concat([encode(file("x", "y".repeat(stored), { pax })), pad(Buffer.alloc(1024))]);
}
