import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Pulling } from "./pulling.ts";

/** A pull, or a push, in a process of its own. */
export class TransferProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, "exit");
  }

  /** When this returns, the store is open and the work about to begin. */
  static async start(
    { opened, user }: Pick<Pulling, "opened" | "user">,
    reference: string,
    way: "pull" | "push" = "pull",
  ): Promise<TransferProcess> {
    const fixture = join(import.meta.dirname, "..", "fixtures", "transfer.mjs");
    const child = fork(fixture, [way, opened.root, opened.driver.name, reference], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, ...user.env },
    });
    const started = new TransferProcess(child);
    await Promise.race([once(child, "message"), started.#exited]);
    return started;
  }

  /** @returns the exit code, or null if it was killed */
  async end(): Promise<number | null> {
    await this.#exited;
    return this.#child.exitCode;
  }

  /** End it at once, wherever it is. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}
