import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { commandEnvironment, highWaterMark } from "./command.ts";

const startTimeoutMs = 30_000;
const startPeriodMs = 20;
const endTimeoutMs = 4000;

export interface DaemonOptions {
  /** The file that its messages go to. */
  readonly log: string;
  /** Ask it something: fails until it is ready. */
  readonly ask: () => Promise<unknown>;
  readonly signal?: AbortSignal | undefined;
}

/** A program that serves others until this is disposed; then it has ended. */
export class Daemon implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /**
   * Start it, and wait until it answers.
   * @throws Error, with the end of its log, if it does not
   * @throws the signal's reason
   */
  static async start(
    program: string,
    args: readonly string[],
    { log, ask, signal }: DaemonOptions,
  ): Promise<Daemon> {
    signal?.throwIfAborted();
    const file = openSync(log, "a");
    const child = spawn(program, args, { stdio: ["ignore", file, file], env: commandEnvironment() });
    closeSync(file);
    await once(child, "spawn");
    const daemon = new Daemon(child);
    try {
      await daemon.#waitFor(ask, signal);
      return daemon;
    } catch (error) {
      await daemon[Symbol.asyncDispose]();
      signal?.throwIfAborted();
      const last = readFileSync(log, "utf8").trimEnd().split("\n").slice(-5).join("\n");
      throw new Error(`${program} does not start\n${last}`, { cause: error });
    }
  }

  /** The most memory it has had resident so far, without its children's. */
  get peakBytes(): number {
    return this.#child.pid === undefined ? 0 : highWaterMark(this.#child.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), endTimeoutMs);
    await ended;
    clearTimeout(timer);
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #waitFor(ask: () => Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
    const deadline = performance.now() + startTimeoutMs;
    for (;;) {
      try {
        await ask();
        return;
      } catch (error) {
        signal?.throwIfAborted();
        if (this.#hasEnded || performance.now() > deadline) throw error;
        await sleep(startPeriodMs);
      }
    }
  }
}
