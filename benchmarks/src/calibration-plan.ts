import { closeSync, createReadStream, openSync, writeSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { decompressor, defaultLimits, type LayerEntry, TarReader, type TarSink } from "@strata/layer";
import { compressionOf } from "./dataset/layers.ts";

const kinds = { file: "f", dir: "d", symlink: "s", link: "l", block: "b", char: "c", fifo: "p" } as const;
const whiteout = ".wh.";
const opaque = ".wh..wh..opq";

/**
 * Write down what a layer's files are, and their contents one behind the other, in the form that
 * `calibration/make-files.c` takes. Whiteouts are in overlayfs's form. What is left out, since only a whole
 * implementation can do it: extended attributes, links to files of lower layers, a name's second entry.
 */
export async function writePlan(
  layer: string,
  { plan, contents, signal }: { plan: string; contents: string; signal: AbortSignal | undefined },
): Promise<void> {
  const writer = new PlanWriter(contents);
  try {
    const reader = new TarReader(writer, defaultLimits);
    await pipeline(
      createReadStream(layer, { highWaterMark: 2 ** 18 }),
      decompressor(await compressionOf(layer)),
      async (source: AsyncIterable<Buffer>) => {
        for await (const chunk of source) reader.write(chunk);
      },
      { signal },
    );
  } finally {
    writer.close();
  }
  await writeFile(plan, Buffer.concat(writer.records));
}

/** Paths are `latin1`, one character a byte, without a slash at either end. */
class PlanWriter implements TarSink {
  readonly records: Buffer[] = [];
  readonly #contents: number;
  readonly #paths = new Set<string>();
  readonly #directories = new Map([["", 0]]);
  #end = 0;
  #file: { readonly begin: number } | undefined;

  constructor(contents: string) {
    this.#contents = openSync(contents, "wx");
  }

  close(): void {
    closeSync(this.#contents);
  }

  entry(entry: LayerEntry): void {
    this.#file = undefined;
    const path = cleaned(entry.path);
    const { parent, name } = split(path);
    if (name === opaque) this.#record("o", entry, parent, name);
    else if (name.startsWith(whiteout))
      this.#record("c", { ...entry, mode: 0, size: 0 }, parent, name.slice(whiteout.length));
    else if (path === "" || this.#paths.has(path)) return;
    else this.#add(entry, path);
  }

  content(bytes: Buffer, position: number): void {
    if (this.#file === undefined) return;
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#contents, bytes, done, bytes.length - done, this.#file.begin + position + done);
  }

  entryEnd(): void {}

  #add(entry: LayerEntry, path: string): void {
    const target =
      entry.type === "link"
        ? cleaned(entry.linkTarget ?? Buffer.alloc(0))
        : entry.linkTarget?.toString("latin1");
    if (entry.type === "link" && !this.#paths.has(target ?? "")) return;
    const { parent, name } = split(path);
    this.#record(kinds[entry.type], entry, parent, name, target);
    this.#paths.add(path);
    if (entry.type === "dir") this.#directories.set(path, this.#directories.size);
    if (entry.type !== "file") return;
    this.#file = { begin: this.#end };
    this.#end += entry.size;
    // A hole at the end is there, too.
    if (entry.size > 0) writeSync(this.#contents, Buffer.alloc(1), 0, 1, this.#end - 1);
  }

  #record(kind: string, entry: LayerEntry, parent: string, name: string, target = ""): void {
    const { mode, uid, gid, mtime, size, rdev } = entry;
    const numbers = [mode, uid, gid, mtime.sec, mtime.nsec, size, rdev?.major ?? 0, rdev?.minor ?? 0];
    const record = `${kind} ${numbers.join(" ")} ${this.#directory(parent)} ${name}\0${target}\0`;
    this.records.push(Buffer.from(record, "latin1"));
  }

  /** The number of a directory; one that the layer does not mention is made. */
  #directory(path: string): number {
    const number = this.#directories.get(path);
    if (number !== undefined) return number;
    const { parent, name } = split(path);
    const above = this.#directory(parent);
    this.records.push(Buffer.from(`d 493 0 0 0 0 0 0 0 ${above} ${name}\0\0`, "latin1"));
    this.#paths.add(path);
    const made = this.#directories.size;
    this.#directories.set(path, made);
    return made;
  }
}

function cleaned(path: Buffer): string {
  return path
    .toString("latin1")
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

function split(path: string): { parent: string; name: string } {
  const slash = path.lastIndexOf("/");
  return { parent: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1) };
}
