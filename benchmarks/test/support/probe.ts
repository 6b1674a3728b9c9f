import { readFileSync, writeFileSync } from "node:fs";
import { Scratch } from "@strata/conformance/suite";
import { runCase } from "../../dist/run/run-case.js";
import type { CaseOptions } from "../../dist/run/subject-run.js";
import type { Case, Parameters, PeerSubject } from "../../dist/workload.js";

const url = new URL("./probe-workload.js", import.meta.url).href;
const reference = `file:${url.slice("file:".length)}` as const;

/** Runs cases of the workload that notes what is done with it. */
export class Probe implements AsyncDisposable {
  /** Where the subjects' directories are made. */
  readonly #directory: Scratch;
  readonly #notes = new Scratch();

  constructor(parent?: string) {
    this.#directory = new Scratch(parent);
    writeFileSync(this.#log, "");
  }

  get directory(): string {
    return this.#directory.path;
  }

  get #log(): string {
    return this.#notes.join("log");
  }

  /** What was noted so far: `a0 one` for operation one in the first thread of subject a. */
  get notes(): string[] {
    return readFileSync(this.#log, "utf8").split("\n").filter(Boolean);
  }

  case(parameters: Parameters, changes: Partial<Case> = {}): Case {
    return {
      title: "probe",
      parameters: { log: this.#log, ...parameters },
      subjects: ["a", "b", "c"].map((id) => this.#subject(id)),
      threads: 1,
      iterations: 1,
      rounds: 1,
      warmup: false,
      settle: false,
      turnSeconds: 1,
      ...changes,
    };
  }

  run(measured: Case, changes: Partial<CaseOptions> = {}) {
    return runCase(reference, measured, {
      scale: "quick",
      seed: 1,
      datasets: this.#notes.path,
      command: [],
      cold: false,
      strict: false,
      signal: new AbortController().signal,
      deadline: Infinity,
      onTurn: () => {},
      ...changes,
    });
  }

  #subject(id: string): PeerSubject {
    const { directory } = this;
    return { kind: "peer", id, version: "1", directory, fileSystem: "some", loop: false };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
    await this.#notes[Symbol.asyncDispose]();
  }
}
