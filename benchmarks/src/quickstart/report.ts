import type { Amount } from "./edit-tree.ts";

const columns = { title: 24, seconds: 10, bytes: 11, files: 9, rate: 13 } as const;

/** Prints the steps of a run as a table, each with its time and throughput. */
export class Report {
  readonly #started = performance.now();

  /** A line of explanation. */
  say(label: string, text: string): void {
    console.log(`${label.padEnd(9)}${text}`);
  }

  heading(): void {
    console.log();
    this.#row("step", ["time", "data", "data/s", "files", "files/s"]);
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
    this.#row(title, [
      `${seconds.toFixed(3)} s`,
      bytes ? size(bytes) : "",
      bytes ? size(bytes / seconds) : "",
      files ? grouped(files) : "",
      files ? grouped(files / seconds) : "",
    ]);
  }

  #row(
    title: string,
    [seconds = "", bytes = "", bytesRate = "", files = "", filesRate = ""]: string[],
  ): void {
    const cells = [
      title.padEnd(columns.title),
      seconds.padStart(columns.seconds),
      bytes.padStart(columns.bytes),
      bytesRate.padStart(columns.rate),
      files.padStart(columns.files),
      filesRate.padStart(columns.rate),
    ];
    console.log(cells.join("").trimEnd());
  }
}

function size(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(bytes < 100e6 ? 1 : 0)} MB`;
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString("en");
}
