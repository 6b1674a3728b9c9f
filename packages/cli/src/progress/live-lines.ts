import type { Output } from "../output.ts";

const redrawMs = 60;

interface Line {
  text: string;
  shown: string | undefined;
  /** Counted from the first that was drawn; undefined until it is. */
  row: number | undefined;
}

/**
 * Lines on a terminal that change in place, one for each label, in the order in which they came up. Lines that have
 * left the screen at its top are left as they are. What is written to standard error meanwhile stands between them.
 */
export class LiveLines implements Disposable {
  readonly #output: Output;
  readonly #stderr: Output;
  readonly #lines = new Map<string, Line>();
  /** Rows of the terminal below the first line's, the cursor's own not counted. */
  #rows = 0;
  #last = 0;
  #later: NodeJS.Timeout | undefined;

  constructor(output: Output, stderr: Output) {
    this.#output = output;
    this.#stderr = stderr;
    if (stderr.isTerminal) stderr.onLine = (text) => this.#makeRoom(text);
  }

  /** Characters that a line may take: the last column stays free, or the terminal would wrap. */
  get room(): number {
    return this.#output.columns - 1;
  }

  /** Set a line; it is drawn now, or soon if the last drawing was just now. */
  set(label: string, text: string): void {
    const cut = [...text].slice(0, this.room).join("");
    const line = this.#lines.get(label);
    if (line) line.text = cut;
    else this.#lines.set(label, { text: cut, shown: undefined, row: undefined });
    const pause = this.#last + redrawMs - Date.now();
    if (pause <= 0) this.#draw();
    else this.#later ??= setTimeout(() => this.#draw(), pause).unref();
  }

  /** Draw what has changed, and leave the lines as they are. A `^C` that the terminal has echoed is written over. */
  [Symbol.dispose](): void {
    this.#draw("\r");
    this.#stderr.onLine = undefined;
  }

  #draw(end = ""): void {
    this.#last = Date.now();
    clearTimeout(this.#later);
    this.#later = undefined;
    let drawing = "";
    for (const line of this.#lines.values()) {
      if (line.text === line.shown) continue;
      line.shown = line.text;
      if (line.row === undefined) {
        drawing += `\r${line.text}\n`;
        line.row = this.#rows++;
        continue;
      }
      const up = this.#rows - line.row;
      if (up < this.#output.rows) drawing += `\x1b[${up}A\x1b[2K\r${line.text}\x1b[${up}B\r`;
    }
    if (this.#rows === 0) return;
    // Progress is not worth waiting for, nor failing for.
    void this.#output.write(drawing + end).catch(() => undefined);
  }

  #makeRoom(text: string): void {
    for (const line of text.split("\n"))
      this.#rows += Math.max(1, Math.ceil([...line].length / this.#output.columns));
  }
}
