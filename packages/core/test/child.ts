import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

export interface ChildOptions {
  readonly root: string;
  readonly steps: readonly (readonly unknown[])[];
  /** As STRATA_FAILPOINT. */
  readonly failpoint?: string;
  readonly hangIn?: "create" | "seal";
  readonly durability?: "none" | "commit";
  readonly uid?: number;
}

/** What a child printed about one step. */
export interface Line {
  readonly did?: string;
  readonly value?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly hangs?: string;
  readonly ready?: boolean;
}

/** A real process that uses a driver on the same root. */
export class Child implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor({ uid, failpoint = "", ...options }: ChildOptions) {
    const script = fileURLToPath(new URL("fixtures/child.mjs", import.meta.url));
    this.#process = spawn(process.execPath, [script, JSON.stringify(options)], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, STRATA_FAILPOINT: failpoint },
      ...(uid !== undefined && { uid, gid: uid }),
    });
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The next line, undefined when it has ended. */
  async next(): Promise<Line | undefined> {
    const { done, value } = await this.#lines.next();
    return done ? undefined : JSON.parse(value);
  }

  /** All lines up to its end. */
  async rest(): Promise<Line[]> {
    const lines: Line[] = [];
    for (let line = await this.next(); line !== undefined; line = await this.next()) lines.push(line);
    return lines;
  }

  /** Let it go on from its step `go`. */
  go(): void {
    this.#process.stdin.write("go\n");
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exit;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

/** Run a child to its end. */
export async function runChild(options: ChildOptions): Promise<Line[]> {
  await using child = new Child(options);
  return await child.rest();
}
