/*
 * The inflate of ISA-L (Debian: libisal2), which takes two thirds of zlib's time, on x64 and arm64. It is optional: where
 * it is not installed, zlib does. It is as strict but for one thing: a Huffman code that leaves out bit patterns is
 * taken as long as none of these occurs. No compressor makes such codes, and the checksum holds for what comes out.
 */
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import { damaged } from "./damaged.ts";

/** What of the library is used. */
export interface Isal {
  readonly init: (state: Uint8Array) => void;
  readonly inflate: (state: Uint8Array) => number;
  readonly crc32: (crc: number, bytes: Uint8Array, length: number) => number;
  readonly address: (memory: Uint8Array) => bigint;
}

/**
 * Where in `struct inflate_state` of isa-l/igzip_lib.h the fields are. It is the caller who allocates it, so its
 * layout is part of what the soname stands for.
 */
export const stateLayout = {
  nextOut: 0,
  availOut: 8,
  nextIn: 16,
  availIn: 32,
  blockState: 21_160,
  crcFlag: 21_172,
} as const;

/** More than the 87,368 bytes of the struct: were a later one to grow, nothing beyond it would be overwritten. */
export const stateBytes: number = 128 * 1024;

/** ISAL_GZIP_NO_HDR_VER: no header; CRC32 and length behind the data are verified. */
const memberWithoutHeader = 6;
/** ISAL_BLOCK_FINISH. */
const finished = 5;

const problems: Readonly<Record<number, string>> = {
  [-1]: "a block's header is wrong",
  [-2]: "a Huffman code is wrong",
  [-3]: "a distance reaches too far back",
  [-6]: "a checksum is wrong",
};

let opened: { readonly isal: Isal | undefined } | undefined;

/** The library, opened once a thread; undefined, where it is not installed or does not do what is asked of it. */
export function openIsal(): Isal | undefined {
  opened ??= { isal: loadIsal("libisal.so.2") };
  return opened.isal;
}

/** {@link openIsal}, each time anew. */
export function loadIsal(soname: string): Isal | undefined {
  const koffi: typeof import("koffi") = createRequire(import.meta.url)("koffi");
  try {
    const library = koffi.load(soname);
    const isal = {
      init: library.func("void isal_inflate_init(void *)"),
      inflate: library.func("int isal_inflate(void *)"),
      crc32: library.func("uint32_t crc32_gzip_refl(uint32_t, const void *, uint64_t)"),
      address: koffi.address,
    };
    return works(isal) ? isal : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it inflates, and sees a wrong checksum: neither would be so, were the layout of its state another. */
function works(isal: Isal): boolean {
  const content = Buffer.from("layer of layers of layers");
  const member = gzipSync(content).subarray(10);
  const output = Buffer.alloc(2 * content.length);
  const inflater = new IsalInflater(isal);
  const inflate = () => {
    inflater.begin();
    const written = inflater.inflate(member, output);
    return inflater.ended && output.subarray(0, written).equals(content);
  };
  if (!inflate()) return false;
  member.writeUInt8(member.readUInt8(member.length - 8) ^ 1, member.length - 8);
  try {
    inflate();
    return false;
  } catch {
    return true;
  }
}

/** Inflates the members of a gzip stream, one after the other, each without its header. */
export class IsalInflater {
  readonly #isal: Isal;
  // Memory of this kind is never moved. It holds pointers during a call only.
  readonly #state: Buffer = Buffer.allocUnsafeSlow(stateBytes);
  #read = 0;

  constructor(isal: Isal) {
    this.#isal = isal;
  }

  /** Bytes of the input that the last call used. */
  get read(): number {
    return this.#read;
  }

  /** Whether the member is complete, and its checksum right. */
  get ended(): boolean {
    return this.#state.readUInt32LE(stateLayout.blockState) === finished;
  }

  /** Start with the bytes behind a member's header. */
  begin(): void {
    this.#isal.init(this.#state);
    this.#state.writeUInt32LE(memberWithoutHeader, stateLayout.crcFlag);
  }

  /**
   * Inflate until the output is full, or the input used up, or the member ended.
   * @returns bytes written; fewer than there is room for only if it was not the output that ended it
   * @throws StrataError `Corrupt`
   */
  inflate(input: Buffer, output: Buffer): number {
    const state = this.#state;
    state.writeBigUInt64LE(this.#isal.address(input), stateLayout.nextIn);
    state.writeUInt32LE(input.length, stateLayout.availIn);
    state.writeBigUInt64LE(this.#isal.address(output), stateLayout.nextOut);
    state.writeUInt32LE(output.length, stateLayout.availOut);
    const result = this.#isal.inflate(state);
    if (result !== 0) throw damaged("gzip", problems[result] ?? `ISA-L gives up with ${result}`);
    this.#read = input.length - state.readUInt32LE(stateLayout.availIn);
    return output.length - state.readUInt32LE(stateLayout.availOut);
  }
}
