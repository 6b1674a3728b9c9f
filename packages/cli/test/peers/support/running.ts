import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Strata } from "./strata.ts";

/** A command that is under way; killed, if it still is when this is disposed. */
export class Running implements AsyncDisposable {
  /** What it has printed. */
  readonly output = { stdout: "", stderr: "" };
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(strata: Strata, ...args: readonly string[]) {
    const child = spawn(process.execPath, strata.argv(args), {
      env: { ...process.env, ...strata.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const name of ["stdout", "stderr"] as const)
      child[name].on("data", (chunk: Buffer) => {
        this.output[name] += chunk;
      });
    this.#child = child;
    this.#ended = once(child, "close");
  }

  /**
   * Wait for its end.
   * @param signal - is sent to it first
   * @returns its exit code, or the signal that ended it
   */
  async end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    if (signal !== undefined) this.#child.kill(signal);
    await this.#ended;
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }
}
