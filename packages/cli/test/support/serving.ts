import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cleanEnvironment, type Strata } from "./strata.ts";

/** `strata serve` on a free port, or whatever its arguments say; killed, if it still runs when this is disposed. */
export class Serving implements AsyncDisposable {
  /** What it has printed. */
  readonly output = { stdout: "", stderr: "" };
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, "close");
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (text: string) => {
        this.output[name] += text;
      });
    }
  }

  /** @returns when it listens */
  static async start(
    strata: Strata,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Serving> {
    const child = spawn(process.execPath, [...strata.prefix, "serve", "--addr", "127.0.0.1:0", ...args], {
      env: { ...cleanEnvironment(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const serving = new Serving(child);
    await Promise.race([once(child.stdout, "data"), serving.#ended]);
    if (serving.output.stdout === "") throw new Error(`it does not serve: ${serving.output.stderr}`);
    return serving;
  }

  /** `http://127.0.0.1:41234` */
  get url(): string {
    return /https?:\/\/[^\s"]+/.exec(this.output.stdout)?.[0] ?? "";
  }

  /** As references name it: `127.0.0.1:41234`. */
  get host(): string {
    return new URL(this.url).host;
  }

  /** The lines on standard error, as soon as there are so many. */
  async log(count: number): Promise<string[]> {
    for (;;) {
      const lines = this.output.stderr.split("\n").slice(0, -1);
      if (lines.length >= count) return lines;
      await this.more("stderr");
    }
  }

  /** The next of what it prints. */
  async more(name: "stdout" | "stderr"): Promise<void> {
    const stream = this.#child[name];
    if (stream) await once(stream, "data", { signal: AbortSignal.timeout(30_000) });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** @returns its exit code, or the signal that ended it */
  async ended(): Promise<number | NodeJS.Signals | null> {
    await this.#ended;
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
