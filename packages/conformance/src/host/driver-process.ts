import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type DriverOptions, type Durability, type ErrorCode, StrataError } from "@strata/core";
import type { DriverModule } from "../driver-under-test.ts";
import type { Trial } from "../trial.ts";
import type { DriverSteps } from "./driver-steps.ts";

export interface DriverProcessOptions {
  /** Set in the process's environment, beside what this process has. @defaultValue nothing */
  readonly env?: Readonly<Record<string, string>>;
  /** Of its driver. @defaultValue "none" */
  readonly durability?: Durability;
}

/** How a process ended: by itself or by a signal. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Another process that has a driver open on the same root and does what it is told; disposed, it is killed. For
 * behaviours that need `processes`.
 *
 * ```ts
 * await using child = await DriverProcess.start(trial);
 * await child.do(["prepare", "a", "base"]);
 * await child.kill();
 * ```
 */
export class DriverProcess implements AsyncDisposable {
  /** Fulfilled when it has ended, in whatever way. */
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (reply: string) => void>();
  #requests = 0;

  private constructor(process: ChildProcess) {
    this.#process = process;
    process.on("message", (message) => {
      const text = String(message);
      const { id }: Pick<Reply, "id"> = JSON.parse(text);
      this.#waiting.get(id)?.(text);
      this.#waiting.delete(id);
    });
    // An answer can come after the exit; none can after the disconnection.
    this.exited = Promise.all([once(process, "exit"), once(process, "disconnect")]).then(() => {
      const exit = { code: process.exitCode, signal: process.signalCode };
      const message = `the process ended (${exit.signal ?? `exit code ${exit.code}`}) before it had answered`;
      for (const [id, answer] of this.#waiting) {
        const reply: Reply = { id, error: { name: "Error", message } };
        answer(JSON.stringify(reply));
      }
      this.#waiting.clear();
      return exit;
    });
  }

  /** @throws what opening the driver there throws */
  static async start(
    { under, root }: Pick<Trial, "under" | "root">,
    { env = {}, durability = "none" }: DriverProcessOptions = {},
  ): Promise<DriverProcess> {
    if (under.module === undefined) throw new Error(`${under.name} names no module for other processes`);
    const start: Start = { module: under.module, options: { root, durability } };
    const script = fileURLToPath(new URL("driver-process-main.js", import.meta.url));
    const child = new DriverProcess(
      fork(script, [JSON.stringify(start)], {
        env: { ...process.env, ...env },
        execArgv: [],
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      }),
    );
    try {
      await child.#answer(0);
      return child;
    } catch (error) {
      await child.kill();
      throw error;
    }
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /**
   * Let it do a step; several can be under way at once.
   * @throws what the step throws there: a StrataError with its code, a TypeError, or an Error
   * @throws Error, if the process ends before the step does
   */
  do<Name extends keyof DriverSteps>(step: Step<Name>): Promise<Awaited<ReturnType<DriverSteps[Name]>>> {
    this.#requests += 1;
    const request: Request = { id: this.#requests, step };
    const answer = this.#answer<Awaited<ReturnType<DriverSteps[Name]>>>(request.id);
    if (this.#process.connected) this.#process.send(JSON.stringify(request));
    return answer;
  }

  /** Kill it by SIGKILL, and wait until it is gone. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  #answer<T>(id: number): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) {
        reject(new Error("the process has ended"));
        return;
      }
      this.#waiting.set(id, (reply) => {
        const { value, error } = JSON.parse(reply);
        if (error === undefined) resolve(value);
        else reject(rebuilt(error));
      });
    });
  }
}

/** A step's name and its arguments. */
export type Step<Name extends keyof DriverSteps> = readonly [Name, ...Parameters<DriverSteps[Name]>];

/** What driver-process-main is started with. */
export interface Start {
  readonly module: DriverModule;
  readonly options: DriverOptions;
}
export interface Request {
  readonly id: number;
  readonly step: readonly [string, ...unknown[]];
}
/** The answer to a request; that with id 0 says whether the driver was opened. */
export interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly name: string; readonly message: string; readonly code?: ErrorCode };
}

function rebuilt({ name, message, code }: NonNullable<Reply["error"]>): Error {
  if (code !== undefined) return new StrataError(code, message);
  return name === "TypeError" ? new TypeError(message) : new Error(message);
}
