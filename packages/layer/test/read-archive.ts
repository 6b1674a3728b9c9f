import { digestOf } from "@strata/core";
import { defaultLimits, type LayerEntry, TarReader } from "@strata/layer";
import { expect } from "vitest";

export interface ReadEntry extends LayerEntry {
  /** Of a file, holes as zeros; see {@link brief}. */
  readonly content: string;
}

export interface Read {
  readonly entries: ReadEntry[];
  /** Whether there was an end mark. */
  readonly ended: boolean;
}

/** Read an archive in pieces of a size. */
export function read(archive: Buffer, piece = archive.length): Read {
  const entries: ReadEntry[] = [];
  let content = Buffer.alloc(0);
  const reader = new TarReader(
    {
      entry: (found) => {
        expect(content.length, "each entry is ended before the next").toBe(0);
        entries.push({ ...found, content: "" });
        content = Buffer.alloc(found.size);
      },
      content: (bytes, position) => {
        bytes.copy(content, position);
      },
      entryEnd: () => {
        const last = entries.pop();
        if (last !== undefined) entries.push({ ...last, content: brief(content) });
        content = Buffer.alloc(0);
      },
    },
    defaultLimits,
  );
  for (let at = 0; at < archive.length; at += piece) reader.write(archive.subarray(at, at + piece));
  const ended = reader.end();
  return { entries, ended };
}

/** Small content as it is, `latin1`; of larger the digest. */
export function brief(content: Buffer): string {
  return content.length <= 64 ? content.toString("latin1") : digestOf(content);
}

/** The entry of an archive that has one. */
export function only(archive: Buffer): ReadEntry {
  const { entries } = read(archive);
  expect(entries).toHaveLength(1);
  const [first] = entries;
  if (first === undefined) throw new Error("unreachable");
  return first;
}
