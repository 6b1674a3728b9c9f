import type { Readable } from "node:stream";

/** Where an archive comes from: a path, or standard input. */
export class ArchiveInput implements Disposable {
  readonly source: string | Readable;

  constructor(path: string | undefined) {
    this.source = path ?? process.stdin;
  }

  /** Close standard input: a process that was interrupted would otherwise wait for whoever writes into it. */
  [Symbol.dispose](): void {
    if (typeof this.source !== "string") this.source.destroy();
  }
}
