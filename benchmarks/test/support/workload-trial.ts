import { Scratch } from "@strata/conformance/suite";
import type { StorageDriver } from "@strata/core";
import { findDriver, openDriver } from "../../src/subjects/drivers.ts";
import type {
  DriverSubject,
  Parameters,
  Subject,
  Trial,
  TrialContext,
  Workload,
} from "../../src/workload.ts";
import { driverModule } from "./bench-options.ts";

/** A driver of this repository's, as a subject of cases. */
export async function driverSubject(name: "overlay2" | "vfs", directory: string): Promise<DriverSubject> {
  const found = await findDriver(driverModule(name), { directory, loop: false });
  if (!("subject" in found)) throw new Error(found.reason);
  return found.subject;
}

/** A tool of the host, as a subject of cases. */
export function peerSubject(id: string, directory: string): Subject {
  return { kind: "peer", id, version: "1", directory, fileSystem: "some", loop: false };
}

/** Does in this thread what a case does in its own, step by step. */
export class WorkloadTrial implements AsyncDisposable {
  readonly context: TrialContext;
  readonly #scratch: Scratch;
  readonly #workload: Workload;
  readonly #open: Trial[] = [];

  constructor(
    workload: Workload,
    subject: Subject,
    parameters: Parameters,
    changes: Partial<TrialContext> = {},
  ) {
    this.#workload = workload;
    this.#scratch = new Scratch(subject.directory);
    this.context = {
      parameters,
      subject,
      scale: "quick",
      seed: 1,
      iterations: 2,
      thread: 0,
      threads: 1,
      directory: this.#scratch.path,
      datasets: this.#scratch.join("datasets"),
      command: [],
      signal: new AbortController().signal,
      ...changes,
    };
  }

  async setUp(): Promise<void> {
    await this.#workload.setUp?.(this.context);
  }

  async open(thread = 0): Promise<Trial> {
    const trial = await this.#workload.open({ ...this.context, thread });
    this.#open.push(trial);
    return trial;
  }

  /** Each operation as often as the case says, and after each `look` at what it has done. */
  async round(trial: Trial, look: (operation: string) => unknown = () => {}): Promise<void> {
    for (const operation of trial.operations) {
      for (let iteration = 0; iteration < this.context.iterations; iteration++) {
        await operation.before?.();
        await operation.run();
        await operation.after?.();
      }
      await look(operation.name);
    }
  }

  /** The driver that is measured, once more. */
  async driver(): Promise<StorageDriver> {
    const { subject, directory } = this.context;
    if (subject.kind !== "driver") throw new TypeError(`${subject.id} is no driver`);
    return await openDriver(subject.module, { root: `${directory}/root`, durability: "none" });
  }

  /** As a case does: the trials first, then whatever is left of the directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const trial of this.#open.splice(0)) await trial[Symbol.asyncDispose]();
    await this.#scratch[Symbol.asyncDispose]();
  }
}
