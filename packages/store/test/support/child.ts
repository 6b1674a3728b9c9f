import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
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

  /** Start a process; it has opened the store when this returns, and is at work. */
  static async start(root: string, driver: DriverName, [method, ...args]: Call): Promise<StoreProcess> {
    const texts = args.map((arg) => (typeof arg === "string" ? arg : JSON.stringify(arg)));
    const fixture = join(import.meta.dirname, "..", "fixtures", "store.mjs");
    const child = fork(fixture, [root, driver, method, ...texts], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const started = new StoreProcess(child);
    await once(child, "message");
    return started;
  }

  /** @returns the exit code, or null if it was killed */
  async end(): Promise<number | null> {
    await this.#exited;
    return this.#child.exitCode;
  }

  /** End it at once, wherever it is. @returns whether it was still at work */
  async kill(): Promise<boolean> {
    this.#child.kill("SIGKILL");
    await this.#exited;
    return this.#child.signalCode === "SIGKILL";
  }
}
