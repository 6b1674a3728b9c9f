import type { Amount } from "./edit-tree.ts";

const columns = { title: 26, seconds: 9, bytes: 11, files: 9, rate: 12 } as const;

/** Prints the steps of a run as a table, each with its time and throughput. */
export class Report {
  readonly #started = performance.now();

  /** A line of explanation. */
  say(label: string, text: string): void {
    console.log(`${label.padEnd(9)}${text}`);
  }

  heading(): void {
    const { title, seconds, bytes, files, rate } = columns;
    const cells = [
      "time".padStart(seconds),
      "data".padStart(bytes),
      "".padStart(rate),
      "files".padStart(files),
    ];
    console.log(`\n${"step".padEnd(title)}${cells.join("")}`);
  }

  /** Do one step and print how long it took. @returns what `work` gave */
  async result<T>(title: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.#print(title, (performance.now() - started) / 1000, {});
    return result;
  }

  /** Do one step and print how long it took and how much it did a second. @returns what `work` did */
  async step<T extends Partial<Amount>>(title: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const amount = await work();
    this.#print(title, (performance.now() - started) / 1000, amount);
    return amount;
  }

  end(verdict: string): void {
    console.log(`\n${verdict} (${((performance.now() - this.#started) / 1000).toFixed(1)} s in all)`);
  }

  #print(title: string, seconds: number, { bytes, files }: Partial<Amount>): void {
    const cells = [
      `${seconds.toFixed(3)} s`.padStart(columns.seconds),
      (bytes ? `${(bytes / 1e6).toFixed(1)} MB` : "").padStart(columns.bytes),
      (bytes ? `${(bytes / 1e6 / seconds).toFixed(0)} MB/s` : "").padStart(columns.rate),
      (files ? grouped(files) : "").padStart(columns.files),
      (files ? `${grouped(Math.round(files / seconds))} /s` : "").padStart(columns.rate),
    ];
    console.log(`${title.padEnd(columns.title)}${cells.join("")}`.trimEnd());
  }
}

function grouped(value: number): string {
  return value.toLocaleString("en");
}
