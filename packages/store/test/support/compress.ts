import { execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";

const maxBuffer = 2 ** 30;

/** What an archive can be compressed with; the programs are those that people use. */
export const compressors: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  none: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  bzip2: (bytes) => execFileSync("bzip2", ["-c"], { input: bytes, maxBuffer }),
  xz: (bytes) => execFileSync("xz", ["-c"], { input: bytes, maxBuffer }),
  zstd: (bytes) => execFileSync("zstd", ["-c", "-q"], { input: bytes, maxBuffer }),
};
