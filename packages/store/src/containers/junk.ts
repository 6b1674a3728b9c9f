import { TarReader } from "@strata/layer";
import { noLimits } from "../no-limits.ts";

/** Files in a layer that a running program needs no more: caches, temporary files, logs, core dumps. */
export interface Junk {
  /** A directory, with everything below it, or a file: absolute, as in the image; a `/` ends a directory's. */
  readonly path: string;
  /** The sum of the sizes of the regular files that the layer holds there. */
  readonly bytes: number;
}

/** Each matches the part of a path that names the junk, at its beginning. */
const places = [
  /^(?:var\/)?tmp\//,
  /^var\/cache\/(?:apt|apk|dnf|yum|pacman|debconf|man|fontconfig)\//,
  /^var\/lib\/apt\/lists\//,
  /^(?:root|home\/[^/]+)\/\.(?:cache|npm|yarn|pnpm-store|cargo\/registry|gradle\/caches|composer\/cache|nuget)\//,
  /^(?:.*?\/)?__pycache__\//,
  /^var\/crash\//,
  /^(?:.*\/)?[^/]+\.log$/,
  /^(?:.*\/)?core(?:\.\d+)?$/,
  /^(?:.*\/)?\.?[^/]+(?:~|\.sw[op])$/,
];

/** Collects the junk of a layer. */
export class JunkCollector {
  readonly #bytes = new Map<string, number>();

  /** Pass the archive of a layer on, and look at its entries on the way. */
  async *watch(tar: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const reader = new TarReader(
      {
        entry: ({ path, type, size }) => {
          if (type === "file") this.add(path.toString(), size);
        },
        content: () => {},
        entryEnd: () => {},
      },
      noLimits,
    );
    for await (const chunk of tar) {
      reader.write(chunk);
      yield chunk;
    }
  }

  /** @param path - relative to the root of the image */
  add(path: string, bytes: number): void {
    if (bytes === 0) return;
    for (const place of places) {
      const found = place.exec(path)?.[0];
      if (found === undefined) continue;
      this.#bytes.set(found, (this.#bytes.get(found) ?? 0) + bytes);
      return;
    }
  }

  /** What was found, the largest first. */
  result(): Junk[] {
    return [...this.#bytes]
      .map(([path, bytes]) => ({ path: `/${path}`, bytes }))
      .sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
  }
}
