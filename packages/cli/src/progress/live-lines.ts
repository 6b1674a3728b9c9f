import type { Output } from "../output.ts";

const redrawMs = 60;

/**
 * Lines on a terminal that change in place, one for each label, in the order in which they came up. Lines that have
 * left the screen at its top are left as they are.
 */
export class LiveLines {
  readonly #output: Output;
  readonly #lines = new Map<string, { text: string; shown: string | undefined }>();
  #drawn = 0;
  #last = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Characters that a line may take: the last column stays free, or the terminal would wrap. */
  get room(): number {
    return this.#output.columns - 1;
  }

  /** Set a line; it is drawn now, or with a later one if the last drawing was just now. */
  set(label: string, text: string): void {
    const cut = [...text].slice(0, this.room).join("");
    const line = this.#lines.get(label);
    if (line) line.text = cut;
    else this.#lines.set(label, { text: cut, shown: undefined });
    if (Date.now() - this.#last >= redrawMs) this.flush();
  }

  /** Draw what has changed. */
  flush(): void {
    this.#last = Date.now();
    const lines = [...this.#lines.values()];
    let drawing = "";
    lines.forEach((line, index) => {
      const up = this.#drawn - index;
      if (line.text === line.shown || up >= this.#output.rows) return;
      line.shown = line.text;
      if (up > 0) drawing += `\x1b[${up}A\x1b[2K\r${line.text}\x1b[${up}B\r`;
      else {
        drawing += `${line.text}\n`;
        this.#drawn++;
      }
    });
    // Progress is not worth waiting for, nor failing for.
    if (drawing !== "") void this.#output.write(drawing).catch(() => undefined);
  }
}
