import { damaged, truncated } from "./damaged.ts";
import { readGzipHeader } from "./gzip-header.ts";
import { type Isal, IsalInflater } from "./isal.ts";
import { PulledBytes } from "./pulled-bytes.ts";

// As large as what zlib is asked for: a piece is in the cache still when it is hashed.
const pieceBytes = 256 * 1024;

/**
 * Decompress gzip in this thread, of several members too, into memory that the caller gives. As with zlib's `gzread`
 * and Node's `createGunzip`, zeros behind the last member end it, and what comes after them is not looked at.
 * @param source - each chunk has to be valid until the next is asked for
 * @param room - memory to write to, of `wanted` bytes at most; what is yielded lies in it
 * @throws StrataError `Corrupt`
 */
export function* gunzipMembers(
  source: Iterable<Buffer>,
  isal: Isal,
  room: (wanted: number) => Buffer,
): Generator<Buffer> {
  const input = new PulledBytes(source);
  const inflater = new IsalInflater(isal);
  do {
    readGzipHeader(input, isal.crc32);
    yield* inflateMember(input, inflater, room);
  } while (input.more() && input.rest[0] !== 0);
}

function* inflateMember(
  input: PulledBytes,
  inflater: IsalInflater,
  room: (wanted: number) => Buffer,
): Generator<Buffer> {
  inflater.begin();
  for (;;) {
    const output = room(pieceBytes);
    const written = inflater.inflate(input.rest, output);
    input.skip(inflater.read);
    if (written > 0) yield output.subarray(0, written);
    if (inflater.ended) return;
    if (written === output.length) continue;
    if (input.rest.length > 0) throw damaged("gzip", "ISA-L does not go on");
    if (!input.more()) throw truncated("gzip");
  }
}
