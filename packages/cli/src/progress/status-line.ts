import type { Output } from "../output.ts";

/** One line at the bottom of a terminal, in place; elsewhere nothing. Clear it before anything else is printed. */
export class StatusLine {
  readonly #output: Output;
  #shown = false;

  constructor(output: Output) {
    this.#output = output;
  }

  set(text: string): void {
    this.#draw([...text].slice(0, this.#output.columns - 1).join(""));
    this.#shown = true;
  }

  clear(): void {
    if (this.#shown) this.#draw("");
    this.#shown = false;
  }

  #draw(text: string): void {
    // Progress is not worth waiting for, nor failing for.
    if (this.#output.isTerminal) void this.#output.write(`\r\x1b[2K${text}`).catch(() => undefined);
  }
}
