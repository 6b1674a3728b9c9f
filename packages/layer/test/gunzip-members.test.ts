import { execFileSync } from "node:child_process";
import { createCipheriv } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import { isStrataError } from "@strata/core";
import { describe, expect, it } from "vitest";
import { loadIsal, openIsal, stateBytes, stateLayout } from "../src/compression/isal.ts";
import { type Expand, expandByIsal, expandByZlib, inPieces, isIsalMissing } from "./gzip-decoders.ts";
import { useScratch } from "./layouts.ts";

/*
 * Gzip by ISA-L, beside zlib, which is what it has to agree with: on the bytes, and on what is damaged.
 */

const scratch = useScratch();

/** Whole numbers from 0 to below a limit, the same for the same seed. */
function seeded(seed: number): (limit: number) => number {
  const noise = createCipheriv("aes-128-ctr", Buffer.alloc(16, seed), Buffer.alloc(16));
  let words = new Uint32Array();
  let next = 0;
  return (limit) => {
    if (next === words.length) {
      words = new Uint32Array(new Uint8Array(noise.update(Buffer.alloc(65_536))).buffer);
      next = 0;
    }
    return (words[next++] ?? 0) % limit;
  };
}

async function outcome(expand: Expand, pieces: Iterable<Buffer>): Promise<string> {
  try {
    return (await expand(pieces)).toString("latin1");
  } catch (error) {
    if (isStrataError(error, "Corrupt")) return "Corrupt";
    throw error;
  }
}

/** What both decoders say of it, in pieces and with room of these sizes. */
async function agreed(bytes: Buffer, what: string, pieceBytes = 1000, roomBytes = 4096): Promise<string> {
  const byZlib = await outcome(expandByZlib, [bytes]);
  const byIsal = await outcome((pieces) => expandByIsal(pieces, roomBytes), inPieces(bytes, pieceBytes));
  expect(byIsal === byZlib, `${what}: ${bytes.length < 400 ? bytes.toString("hex") : bytes.length}`).toBe(
    true,
  );
  return byIsal;
}

/** Bytes that repeat themselves, more or less. */
function content(random: (limit: number) => number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const values = 1 + random(255);
  for (let at = 0; at < length; at++) {
    bytes[at] = at > 50 && random(4) > 0 ? (bytes[at - 1 - random(50)] ?? 0) : random(values);
  }
  return bytes;
}

const text = Buffer.from("all work and no play makes a dull layer\n".repeat(20));
const member = gzipSync(text);

/** The same data behind another header, of these flags and fields. */
function withHeader(flags: number, ...fields: readonly Buffer[]): Buffer {
  const head = Buffer.from(member.subarray(0, 10));
  head[3] = flags;
  return Buffer.concat([head, ...fields, member.subarray(10)]);
}

function withCrc(flags: number, ...fields: readonly Buffer[]): Buffer {
  const whole = withHeader(flags, ...fields);
  const header = whole.subarray(0, whole.length - member.length + 10);
  // The trailer of what compresses these bytes holds their CRC32.
  const crc = gzipSync(header).subarray(-8, -6);
  return Buffer.concat([header, crc, member.subarray(10)]);
}

const field = (length: number) => {
  const size = Buffer.alloc(2);
  size.writeUInt16LE(length);
  return Buffer.concat([size, Buffer.alloc(length, "field")]);
};
const name = Buffer.from("layer.tar\0");
const comment = Buffer.from("a comment\0");

describe.skipIf(isIsalMissing)("ISA-L agrees with zlib", () => {
  const headers: readonly (readonly [string, Buffer, boolean])[] = [
    ["a name", withHeader(8, name), true],
    ["a comment", withHeader(16, comment), true],
    ["a field", withHeader(4, field(300)), true],
    ["an empty field and an empty name", withHeader(12, field(0), Buffer.from("\0")), true],
    ["all of these", withHeader(1 | 4 | 8 | 16, field(70), name, comment), true],
    ["a checksum", withCrc(2), true],
    ["all of these and a checksum", withCrc(2 | 4 | 8 | 16, field(70), name, comment), true],
    ["a wrong checksum", withHeader(2 | 8, name, Buffer.from("no")), false],
    ["a flag that is reserved", withHeader(32), false],
    ["another method", Buffer.concat([Buffer.from("1f8b09", "hex"), member.subarray(3)]), false],
    ["a name without end", Buffer.concat([withHeader(8).subarray(0, 10), Buffer.alloc(9000, "n")]), false],
  ];
  it.each(headers)("on a header with %s", async (what, bytes, isGood) => {
    for (const pieceBytes of [1, 2, 7, 5000]) {
      const result = await agreed(bytes, what, pieceBytes);
      expect(result).toBe(isGood ? text.toString("latin1") : "Corrupt");
    }
  });

  const zeros = Buffer.alloc(600);
  const empty = gzipSync(Buffer.alloc(0));
  const following: readonly (readonly [string, readonly Buffer[], number | "Corrupt"])[] = [
    ["members", [member, member], 3],
    ["empty members", [empty, empty, member, empty], 2],
    ["zeros", [zeros], 1],
    ["zeros, which end it", [zeros, member], 1],
    ["zeros, and noise behind", [zeros, Buffer.alloc(50, "noise")], 1],
    ["other data", [Buffer.from("other data")], "Corrupt"],
    ["one more byte", [Buffer.from([1])], "Corrupt"],
    ["half a header", [member.subarray(0, 5)], "Corrupt"],
    ["half a member", [member.subarray(0, 40)], "Corrupt"],
  ];
  it.each(following)("on what follows a member: %s", async (what, parts, times) => {
    for (const pieceBytes of [1, 5, member.length, 5000]) {
      const result = await agreed(Buffer.concat([member, ...parts]), what, pieceBytes);
      expect(result).toBe(times === "Corrupt" ? times : text.toString("latin1").repeat(times));
    }
  });

  it("on nothing at all", async () => {
    expect(await agreed(Buffer.alloc(0), "nothing")).toBe("Corrupt");
  });

  it("on a member that is cut off at any byte", async () => {
    for (const bytes of [member, withCrc(2 | 4 | 8 | 16, field(9), name, comment)]) {
      for (let length = 0; length < bytes.length; length++) {
        const cut = bytes.subarray(0, length);
        for (const pieceBytes of [1, 1000]) {
          expect(await agreed(cut, `${length} bytes`, pieceBytes)).toBe("Corrupt");
        }
      }
    }
  });

  it("on any flipped bit of a small member", async () => {
    let refused = 0;
    for (let bit = 0; bit < 8 * member.length; bit++) {
      const flipped = Buffer.from(member);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if ((await agreed(flipped, `bit ${bit}`)) === "Corrupt") refused++;
    }
    expect(refused).toBeGreaterThan(6 * member.length);
  });

  it.each([1, 2, 3, 4])("on damage at random, and on none: seed %i", async (seed) => {
    const random = seeded(seed);
    const strategies = [
      constants.Z_DEFAULT_STRATEGY,
      constants.Z_HUFFMAN_ONLY,
      constants.Z_RLE,
      constants.Z_FIXED,
    ];
    const seen = { good: 0, corrupt: 0 };
    for (let round = 0; round < 150; round++) {
      const level = random(10);
      const strategy = strategies[random(strategies.length)] ?? 0;
      const members = Array.from({ length: 1 + random(3) }, () =>
        gzipSync(content(random, random(2) === 0 ? random(300) : random(90_000)), { level, strategy }),
      );
      const bytes = Buffer.concat([...members, Buffer.alloc(random(3) * random(20), random(2))]);
      for (let flips = random(4); flips > 0; flips--) {
        const at = random(random(2) === 0 ? bytes.length : Math.min(bytes.length, 100));
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
      }
      const cut = random(8) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes;
      const pieceBytes = [3, 100, 5000, 300_000][random(4)];
      const roomBytes = [64, 300, 4096, 70_000][random(4)];
      const result = await agreed(cut, `seed ${seed}, round ${round}`, pieceBytes, roomBytes);
      seen[result === "Corrupt" ? "corrupt" : "good"]++;
    }
    expect(seen.good).toBeGreaterThan(15);
    expect(seen.corrupt).toBeGreaterThan(60);
  });

  it("on more than the window, a byte of input and of room at a time", async () => {
    const bytes = gzipSync(content(seeded(9), 70_000));
    await agreed(bytes, "single bytes", 1, 1);
  });
});

it.skipIf(isIsalMissing)(
  "ISA-L takes a Huffman code that leaves out patterns, if none of them occurs; zlib does not",
  async () => {
    // One literal and the end of the block, of two bits each, where one would do.
    const hex = [
      "1f8b080000000000000305e10190244992244902",
      "0".repeat(65),
      "1",
      "0".repeat(188),
      "1022028b9ed9d301000000",
    ];
    const bytes = Buffer.from(hex.join(""), "hex");
    await expect(expandByZlib([bytes])).rejects.toMatchObject({ code: "Corrupt" });
    expect((await expandByIsal([bytes])).toString()).toBe("A");
  },
);

describe("the library", () => {
  it("is taken for missing, if it is, and if it is another", () => {
    expect(loadIsal("libno-such-library.so.2")).toBeUndefined();
    expect(loadIsal("libc.so.6")).toBeUndefined();
  });

  it.skipIf(isIsalMissing)("is opened once", () => {
    expect(openIsal()).toBe(openIsal());
  });

  const header = "/usr/include/isa-l/igzip_lib.h";
  const reason = existsSync(header) ? undefined : `${header} is not there (libisal-dev)`;
  if (reason !== undefined) {
    if (process.env["CI"] === "true") throw new Error(reason);
    console.warn(`the test of the state's layout is skipped: ${reason}`);
  }

  it.skipIf(reason !== undefined)("has its state laid out as its header says", () => {
    const fields = ["next_out", "avail_out", "next_in", "avail_in", "block_state", "crc_flag"];
    const source = join(scratch.path, "layout.c");
    const program = join(scratch.path, "layout");
    writeFileSync(
      source,
      `#include <stddef.h>
       #include <stdio.h>
       #include <isa-l/igzip_lib.h>
       int main(void) {
         printf("%zu %d %d", sizeof(struct inflate_state), ISAL_GZIP_NO_HDR_VER, ISAL_BLOCK_FINISH);
         ${fields.map((field) => `printf(" %zu", offsetof(struct inflate_state, ${field}));`).join("\n")}
       }`,
    );
    execFileSync("cc", ["-o", program, source]);
    const [size = 0, ...rest] = execFileSync(program).toString().split(" ").map(Number);
    expect(rest).toEqual([6, 5, ...Object.values(stateLayout)]);
    expect(size).toBeLessThanOrEqual(stateBytes);
  });
});
