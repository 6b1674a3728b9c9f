import { type Limits, limitExceeded } from "../limits.ts";
import { buildEntry } from "./build-entry.ts";
import type { LayerEntry } from "./entry.ts";
import { type Extensions, noExtensions, readExtensions } from "./extensions.ts";
import { badArchive, decodeHeader, isZeroBlock, number, type TarHeader, text } from "./header.ts";
import { parsePaxRecords } from "./pax.ts";
import { checkSegments, LeadingSparseMap, readGnuSlots, type Segment } from "./sparse.ts";
import { blockSize, paddingAfter } from "./tar-writer.ts";

/** Takes what a {@link TarReader} finds, in the archive's order. */
export interface TarSink {
  /** A new entry. Its buffers stay valid. */
  entry(entry: LayerEntry): void;
  /**
   * Bytes of the current entry, if it is a file, that belong at `position` in it. What is passed over is a hole.
   * `bytes` is a piece of what was given to {@link TarReader.write}, valid only until this returns.
   */
  content(bytes: Buffer, position: number): void;
  /** The current entry is whole. */
  entryEnd(): void;
}

/** Something whose bytes are passing by. */
type Body =
  | { readonly kind: "file" }
  | { readonly kind: "skipped" }
  | { readonly kind: "collected"; readonly buffer: Buffer; readonly use: (body: Buffer) => void };

/** Blocks that come one at a time, until the taker is content. */
type BlockTaker = (block: Buffer) => void;

/**
 * Reads a tar archive that is pushed through it: v7, ustar, PAX, GNU, with GNU's and PAX's sparse files. Synchronous,
 * and nothing is buffered but headers: content goes to the sink as pieces of the caller's own chunks.
 *
 * As docker does, it ignores global PAX headers, volume labels and the file lists of incremental dumps, and takes an
 * archive without its end mark; see {@link end}.
 */
export class TarReader {
  readonly #sink: TarSink;
  readonly #limits: Limits;

  readonly #takeHeader: BlockTaker = (block) => this.#header(block);
  /** Takes each whole block, while no body is passing. */
  #take = this.#takeHeader;
  readonly #partial = Buffer.alloc(blockSize);
  #partialLength = 0;

  #body: Body | undefined;
  #bodyLeft = 0;
  #padding = 0;
  #segments: readonly Segment[] = [];
  #segment = 0;
  #segmentDone = 0;

  #extensions = noExtensions;
  #longName: Buffer | undefined;
  #longLink: Buffer | undefined;
  #extendedBytes = 0;

  #zeroBlocks = 0;

  constructor(sink: TarSink, limits: Limits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** Whether both blocks of the end mark were seen. What follows is ignored. */
  get ended(): boolean {
    return this.#zeroBlocks === 2;
  }

  /**
   * Take the next piece of the archive.
   * @throws StrataError `InvalidArgument`, if it is not a tar archive or beyond the limits; and whatever the sink throws
   */
  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.ended) {
      if (this.#body !== undefined) at += this.#pass(this.#body, chunk, at);
      else if (this.#padding > 0) at += this.#skipPadding(chunk.length - at);
      else at += this.#gather(chunk, at);
    }
  }

  /**
   * The archive has no more bytes.
   * @returns whether it had an end mark. Without, it may have been cut off between two entries: only its digest tells
   * @throws StrataError `InvalidArgument`, if it was cut off within an entry
   */
  end(): boolean {
    const whole =
      this.#body === undefined &&
      this.#take === this.#takeHeader &&
      this.#extendedBytes === 0 &&
      this.#partialLength === 0;
    if (!whole && this.#zeroBlocks === 0) throw badArchive("it ends in the middle of an entry");
    return this.#zeroBlocks > 0;
  }

  /** Take one block, or what there is of it. @returns the bytes taken */
  #gather(chunk: Buffer, at: number): number {
    if (this.#partialLength === 0 && chunk.length - at >= blockSize) {
      this.#take(chunk.subarray(at, at + blockSize));
      return blockSize;
    }
    const taken = chunk.copy(this.#partial, this.#partialLength, at);
    this.#partialLength += taken;
    if (this.#partialLength === blockSize) {
      this.#partialLength = 0;
      this.#take(this.#partial);
    }
    return taken;
  }

  #header(block: Buffer): void {
    if (isZeroBlock(block)) {
      this.#zeroBlocks++;
      return;
    }
    if (this.#zeroBlocks > 0) throw badArchive("an entry follows a block of zeros");
    const header = decodeHeader(block);
    if (header.size < 0) throw badArchive("an entry has a negative size");
    switch (header.typeFlag) {
      case "x":
      case "X":
        this.#collect(header.size, (body) => {
          this.#extensions = readExtensions(parsePaxRecords(body));
        });
        break;
      case "L":
        this.#collect(header.size, (body) => {
          this.#longName = text(body, 0, body.length);
        });
        break;
      case "K":
        this.#collect(header.size, (body) => {
          this.#longLink = text(body, 0, body.length);
        });
        break;
      case "g":
      case "V":
        this.#begin({ kind: "skipped" }, header.size);
        break;
      default:
        this.#entry(block, header);
    }
  }

  /** An extended header: wait for all of it. */
  #collect(size: number, use: (body: Buffer) => void): void {
    this.#countExtended(size);
    this.#begin({ kind: "collected", buffer: Buffer.allocUnsafe(size), use }, size);
  }

  #countExtended(bytes: number): void {
    this.#extendedBytes += bytes;
    if (this.#extendedBytes > this.#limits.maxHeaderBytes) {
      throw limitExceeded(this.#limits, "maxHeaderBytes");
    }
  }

  #entry(block: Buffer, header: TarHeader): void {
    const extensions = this.#extensions;
    const entry = buildEntry(header, extensions, this.#longName, this.#longLink);
    this.#extensions = noExtensions;
    this.#longName = undefined;
    this.#longLink = undefined;
    // Where both say a size, the extension's is the one that counts, for the file and for where the next header is.
    const stored = extensions.size ?? header.size;
    if (entry.type === "file") this.#file(entry, block, header.typeFlag, extensions, stored);
    else this.#other(entry, header.typeFlag, stored);
  }

  /** Of all but files the size means nothing, whatever it says; only a dump's list of names follows its directory. */
  #other(entry: LayerEntry, flag: string, stored: number): void {
    this.#extendedBytes = 0;
    this.#sink.entry(entry);
    this.#sink.entryEnd();
    if (flag === "D") this.#begin({ kind: "skipped" }, stored);
  }

  #file(entry: LayerEntry, block: Buffer, flag: string, { sparse }: Extensions, stored: number): void {
    if (flag === "S") this.#gnuSparse(entry, block, stored);
    else if (sparse === undefined) this.#startFile(entry, stored, stored, [{ offset: 0, length: stored }]);
    else if (sparse.segments !== undefined) this.#startFile(entry, sparse.size, stored, sparse.segments);
    else this.#leadingMap(entry, sparse.size, stored);
  }

  #startFile(entry: LayerEntry, size: number, stored: number, segments: readonly Segment[]): void {
    checkSegments(segments, stored, size);
    this.#extendedBytes = 0;
    this.#take = this.#takeHeader;
    this.#segments = segments;
    this.#segment = 0;
    this.#segmentDone = 0;
    this.#sink.entry({ ...entry, size });
    this.#begin({ kind: "file" }, stored);
  }

  /** A map of four runs in the header, and of 21 more in each block after it that the one before announces. */
  #gnuSparse(entry: LayerEntry, block: Buffer, stored: number): void {
    const size = number(block, 483, 12, "size of a sparse file");
    const segments = readGnuSlots(block, 386, 4);
    const start = () => this.#startFile(entry, size, stored, segments);
    if (block[482] === 0) {
      start();
      return;
    }
    this.#take = (extension) => {
      this.#countExtended(blockSize);
      segments.push(...readGnuSlots(extension, 0, 21));
      if (extension[504] === 0) start();
    };
  }

  /** A map in front of the data, counted among them. */
  #leadingMap(entry: LayerEntry, size: number, stored: number): void {
    const map = new LeadingSparseMap();
    let left = stored;
    this.#take = (block) => {
      this.#countExtended(blockSize);
      left -= blockSize;
      const segments = map.add(block);
      if (segments !== undefined) this.#startFile(entry, size, left, segments);
    };
  }

  #begin(body: Body, size: number): void {
    this.#body = body;
    this.#bodyLeft = size;
    this.#padding = paddingAfter(size);
    if (size === 0) this.#finish(body);
  }

  /** Pass on as much of the body as the chunk holds. @returns the bytes taken */
  #pass(body: Body, chunk: Buffer, at: number): number {
    let length = Math.min(this.#bodyLeft, chunk.length - at);
    if (body.kind === "collected")
      chunk.copy(body.buffer, body.buffer.length - this.#bodyLeft, at, at + length);
    if (body.kind === "file") length = this.#passContent(chunk, at, length);
    this.#bodyLeft -= length;
    if (this.#bodyLeft === 0) this.#finish(body);
    return length;
  }

  /** Pass on what belongs to the current run of the file. @returns its length */
  #passContent(chunk: Buffer, at: number, available: number): number {
    const segment = this.#segments[this.#segment];
    if (segment === undefined) throw new TypeError("content beyond the last run");
    const length = Math.min(available, segment.length - this.#segmentDone);
    if (length > 0) this.#sink.content(chunk.subarray(at, at + length), segment.offset + this.#segmentDone);
    this.#segmentDone += length;
    if (this.#segmentDone === segment.length) {
      this.#segment++;
      this.#segmentDone = 0;
    }
    return length;
  }

  #finish(body: Body): void {
    this.#body = undefined;
    if (body.kind === "collected") body.use(body.buffer);
    if (body.kind === "file") this.#sink.entryEnd();
  }

  #skipPadding(available: number): number {
    const length = Math.min(this.#padding, available);
    this.#padding -= length;
    return length;
  }
}
