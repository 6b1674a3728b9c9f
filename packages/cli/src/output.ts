import { once } from "node:events";
import type { WriteStream } from "node:tty";
import { escapeControls } from "./format/text.ts";

/** Thrown by a write when nobody reads any more (`strata save x | head`). Says nothing: the reader left on purpose. */
export class BrokenPipe extends Error {
  override readonly name = "BrokenPipe";
}

/** Standard output or standard error. */
export class Output {
  readonly #stream: WriteStream;
  /** Told each line before it is written: whoever draws on the same terminal has to make room for it. */
  onLine: ((text: string) => void) | undefined;
  #broken = false;
  #failure: Error | undefined;

  /** @param stream - `process.stdout` or `process.stderr`, which are a WriteStream only when they are a terminal */
  constructor(stream: WriteStream) {
    this.#stream = stream;
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") this.#broken = true;
      else this.#failure = error;
    });
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Characters in a line of the terminal; a terminal that does not know says 0. */
  get columns(): number {
    return this.#stream.columns || 80;
  }

  /** Lines of the terminal. */
  get rows(): number {
    return this.#stream.rows || 24;
  }

  /**
   * Write, and wait while the reader is slower.
   * @throws BrokenPipe
   */
  async write(chunk: string | Uint8Array): Promise<void> {
    this.#check();
    const ready = this.#stream.write(chunk);
    // A full pipe: either it is read, or it breaks, which `once` reports as the stream's error.
    if (!ready) await once(this.#stream, "drain").catch(() => undefined);
    this.#check();
  }

  /** Write a line. On a terminal, control characters in it are made visible. */
  async line(text: string): Promise<void> {
    const shown = this.isTerminal ? escapeExceptLayout(text) : text;
    this.onLine?.(shown);
    await this.write(`${shown}\n`);
  }

  async lines(lines: readonly string[]): Promise<void> {
    for (const text of lines) await this.line(text);
  }

  /** Write one JSON document, indented for people only. */
  async json(value: unknown): Promise<void> {
    await this.write(`${JSON.stringify(value, undefined, this.isTerminal ? 2 : undefined)}\n`);
  }

  /** Write one line of JSON, of several. */
  async jsonLine(value: unknown): Promise<void> {
    await this.write(`${JSON.stringify(value)}\n`);
  }

  #check(): void {
    if (this.#broken) throw new BrokenPipe();
    if (this.#failure) throw this.#failure;
  }
}

/** Tabs and line breaks come from templates, where they are meant. */
function escapeExceptLayout(text: string): string {
  return text.replace(/[^\t\n]+/g, escapeControls);
}
