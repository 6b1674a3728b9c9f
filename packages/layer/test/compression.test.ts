import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import { digestOf } from "@strata/core";
import { type Compression, decompressor, detectCompression } from "@strata/layer";
import { describe, expect, it } from "vitest";
import { expandByIsal, inflateByIsal, inPieces, isIsalMissing } from "./gzip-decoders.ts";

interface Tool {
  readonly compression: Compression;
  /** A command that compresses its input. */
  readonly command: readonly string[];
  /** Whether ISA-L is to decompress it, not what the stream uses. */
  readonly byIsal?: true;
}

const tools: readonly Tool[] = [
  { compression: "gzip", command: ["gzip"] },
  { compression: "gzip", command: ["pigz"] },
  { compression: "gzip", command: ["gzip"], byIsal: true },
  { compression: "gzip", command: ["pigz"], byIsal: true },
  { compression: "bzip2", command: ["bzip2"] },
  { compression: "bzip2", command: ["bzip2", "-1"] },
  { compression: "xz", command: ["xz"] },
  { compression: "xz", command: ["xz", "-T2", "--block-size=100000", "--check=crc32"] },
  { compression: "zstd", command: ["zstd"] },
  { compression: "zstd", command: ["zstd", "-19", "--check"] },
  { compression: "zstd", command: ["zstd", "--long=27", "--no-check"] },
];

const perTool = tools.filter(({ command }) => command.length === 1 && command[0] !== "pigz");
const titleOf = (what: string, { byIsal }: Tool) => (byIsal ? `${what}, by ISA-L` : what);

const isThere = (tool: string) => {
  try {
    execFileSync(tool, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    if (process.env["CI"] === "true") throw new Error(`${tool} is not installed`);
    console.warn(`tests with ${tool} are skipped: it is not installed`);
    return false;
  }
};

const installed = new Map(tools.map(({ command: [tool = ""] }) => [tool, isThere(tool)]));
const withTool = ({ command: [tool = ""], byIsal }: Tool) =>
  it.runIf(installed.get(tool) && !(byIsal && isIsalMissing));

function compress({ command: [tool = "", ...flags] }: Tool, content: Buffer): Buffer {
  return execFileSync(tool, [...flags, "-c"], {
    input: content,
    maxBuffer: 1e9,
    stdio: ["pipe", "pipe", "ignore"],
  });
}

/** Decompress, in pieces of a size. */
async function expand(tool: Tool, compressed: Buffer, piece = 65_536): Promise<Buffer> {
  if (tool.byIsal) return expandByIsal(inPieces(compressed, piece));
  const pieces = [...inPieces(compressed, piece)];
  const chunks: Buffer[] = [];
  await pipeline(
    Readable.from(pieces),
    decompressor(tool.compression),
    async (stream: AsyncIterable<Buffer>) => {
      for await (const chunk of stream) chunks.push(chunk);
    },
  );
  return Buffer.concat(chunks);
}

async function drain(stream: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of stream);
}

// Text that repeats near and far, noise, one byte many times, and every length of run that bzip2 has a rule for.
const text = Buffer.from(
  Array.from({ length: 40_000 }, (_, line) => `line ${line % 977} of ${line * 7919}\n`).join(""),
);
const runs = Buffer.concat(Array.from({ length: 300 }, (_, length) => Buffer.alloc(length, length % 251)));
const contents: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  "one byte": Buffer.from("x"),
  "text, noise, zeros and runs": Buffer.concat([
    text,
    randomBytes(1_000_000),
    Buffer.alloc(3_000_000),
    runs,
    text,
  ]),
};

for (const tool of tools) {
  describe(titleOf(tool.command.join(" "), tool), () => {
    for (const [title, content] of Object.entries(contents)) {
      withTool(tool)(`gives ${title} back`, async () => {
        const compressed = compress(tool, content);
        expect(detectCompression(compressed.subarray(0, 6))).toBe(tool.compression);
        expect(digestOf(await expand(tool, compressed))).toBe(digestOf(content));
      });
    }
  });
}

for (const tool of perTool) {
  describe(titleOf(tool.compression, tool), () => {
    const small = Buffer.concat([text.subarray(0, 5000), runs]);

    withTool(tool)("takes concatenated streams as one, wherever they are cut", async () => {
      const compressed = Buffer.concat([
        compress(tool, small),
        compress(tool, Buffer.from("x")),
        compress(tool, small),
      ]);
      const expected = digestOf(Buffer.concat([small, Buffer.from("x"), small]));
      for (const piece of [1, 3, 1000]) {
        expect(digestOf(await expand(tool, compressed, piece))).toBe(expected);
      }
    });

    withTool(tool)("fails on a stream that ends too early, at whichever byte", async () => {
      const compressed = compress(tool, small);
      for (let length = 1; length < compressed.length; length += 1 + (length >> 4)) {
        const cut = compressed.subarray(0, length);
        await expect(expand(tool, cut), `${length} bytes`).rejects.toMatchObject({
          code: "Corrupt",
        });
      }
      const last = compressed.subarray(0, -1);
      await expect(expand(tool, last)).rejects.toMatchObject({ code: "Corrupt" });
    });

    withTool(tool)("never takes a flipped bit for good", async () => {
      const compressed = compress(tool, small);
      let refused = 0;
      const end = compressed.length;
      // All of the beginning and the end, where the checksums are, and some in between.
      for (let at = 0; at < end; at += at > end - 30 ? 1 : Math.min(1 + (at >> 4), end - 29 - at)) {
        const flipped = Buffer.from(compressed);
        flipped[at] = (flipped[at] ?? 0) ^ 0x10;
        try {
          // Some bits carry nothing: the time in gzip's header, padding.
          expect(digestOf(await expand(tool, flipped)), `byte ${at}`).toBe(digestOf(small));
        } catch (error) {
          expect(error, `byte ${at}`).toMatchObject({ code: "Corrupt" });
          refused++;
        }
      }
      expect(refused).toBeGreaterThan(50);
    });

    withTool(tool)("fails on a wrong checksum at the end", async () => {
      const compressed = compress(tool, small);
      // Where it stands from the end: gzip's is followed by a length, bzip2's lies across bytes, xz's is the footer's.
      const at = compressed.length - { gzip: 6, bzip2: 3, xz: 10, zstd: 2, none: 0 }[tool.compression];
      compressed[at] = (compressed[at] ?? 0) ^ 1;
      await expect(expand(tool, compressed)).rejects.toMatchObject({ code: "Corrupt" });
    });

    withTool(tool)("fails on other data behind the magic number", async () => {
      const junk = Buffer.concat([compress(tool, small).subarray(0, 4), randomBytes(1000)]);
      await expect(expand(tool, junk)).rejects.toMatchObject({ code: "Corrupt" });
    });

    withTool(tool)("needs little memory for much output", async () => {
      const compressed = compress(tool, Buffer.alloc(50_000_000));
      let bytes = 0;
      let most = 0;
      const before = process.memoryUsage().rss;
      const expanded = tool.byIsal
        ? inflateByIsal([compressed], Buffer.alloc(65_536))
        : Readable.from([compressed]).pipe(decompressor(tool.compression));
      for await (const chunk of expanded) {
        bytes += chunk.length;
        most = Math.max(most, process.memoryUsage().rss - before);
      }
      expect(bytes).toBe(50_000_000);
      expect(most).toBeLessThan(60_000_000);
    });
  });
}

for (const tool of perTool.filter(({ byIsal }) => !byIsal)) {
  describe(`the stream of ${tool.compression}`, () => {
    const small = Buffer.concat([text.subarray(0, 5000), runs]);

    withTool(tool)("passes on the error of its source", async () => {
      const broken = async function* () {
        yield compress(tool, small).subarray(0, 100);
        await setTimeout(10);
        throw new RangeError("from the source");
      };
      await expect(pipeline(Readable.from(broken()), decompressor(tool.compression), drain)).rejects.toThrow(
        "from the source",
      );
    });

    withTool(tool)("ends when it is destroyed, whatever it waits for", async () => {
      const waiting = decompressor(tool.compression);
      waiting.write(compress(tool, small).subarray(0, 100));
      const drained = drain(waiting);
      setTimeout(10).then(() => waiting.destroy(new RangeError("enough")));
      await expect(drained).rejects.toThrow("enough");
      const unread = decompressor(tool.compression);
      unread.end(compress(tool, small));
      unread.destroy();
      await once(unread, "close");
      const half = decompressor(tool.compression);
      half.end(compress(tool, small));
      for await (const _ of half) break;
      expect(half.destroyed).toBe(true);
    });
  });
}

describe("detectCompression", () => {
  it("takes anything unknown, and too little, for not compressed", () => {
    for (const head of ["", "\u001f", "plain text", "BZ"])
      expect(detectCompression(Buffer.from(head, "latin1"))).toBe("none");
  });
});
