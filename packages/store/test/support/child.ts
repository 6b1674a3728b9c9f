import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { DriverName } from "./store.ts";

/** A method of a store, with its arguments. */
export type Call = readonly [method: string, ...args: (string | object)[]];

/** A store in a process of its own, about to do one thing. */
export class StoreProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, "exit");
  }

  /**
   * Start a process; when this returns, it has opened the store and is at work, or was killed before that.
   * @param failpoint - as STRATA_FAILPOINT
   */
  static async start(
    root: string,
    driver: DriverName,
    [method, ...args]: Call,
    failpoint = "",
  ): Promise<StoreProcess> {
    const texts = args.map((arg) => (typeof arg === "string" ? arg : JSON.stringify(arg)));
    const fixture = join(import.meta.dirname, "..", "fixtures", "store.mjs");
    const child = fork(fixture, [root, driver, method, ...texts], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      env: { ...process.env, STRATA_FAILPOINT: failpoint },
    });
    const started = new StoreProcess(child);
    await Promise.race([once(child, "message"), started.#exited]);
    return started;
  }

  /** @returns the exit code, or null if it was killed */
  async end(): Promise<number | null> {
    await this.#exited;
    return this.#child.exitCode;
  }

  /** Let it work for a while, then end it at once, wherever it is. */
  async endAfter(milliseconds: number): Promise<void> {
    await setTimeout(milliseconds);
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  get wasKilled(): boolean {
    return this.#child.signalCode === "SIGKILL";
  }
}
