import { fileURLToPath } from "node:url";
import { Scratch } from "@strata/conformance/suite";
import { type CommandResult, run } from "../peers/command.ts";
import type { ImagePeer, ImageSource } from "../peers/image-peer.ts";
import type { RegistryPeer } from "../peers/registry-peer.ts";
import type { DriverSubject, TrialContext } from "../workload.ts";

/** The `strata` command, with a store of its own, new and empty. */
export class StrataStore implements ImagePeer, RegistryPeer {
  readonly #scratch: Scratch;
  readonly #command: readonly string[];
  readonly #loadOptions: readonly string[];
  readonly #signal: AbortSignal;

  constructor(
    { command, directory, signal }: Pick<TrialContext, "command" | "directory" | "signal">,
    subject: DriverSubject,
    durable: boolean,
  ) {
    this.#scratch = new Scratch(directory);
    const durability = durable ? "commit" : "none";
    const options = ["--root", this.#scratch.join("root"), "--driver", driverArgument(subject)];
    this.#command = [...command, ...options, "--durability", durability];
    this.#loadOptions = subject.capabilities.ownership.supported ? [] : ["--ignore-chown-errors"];
    this.#signal = signal;
  }

  load({ path }: ImageSource): Promise<CommandResult> {
    return this.#run("load", "--quiet", ...this.#loadOptions, "--input", path);
  }

  save(reference: string, archive: string): Promise<CommandResult> {
    return this.#run("save", "--output", archive, reference);
  }

  images(): Promise<CommandResult> {
    return this.#run("images");
  }

  remove(reference: string): Promise<CommandResult> {
    return this.#run("rmi", reference);
  }

  pull(reference: string): Promise<CommandResult> {
    return this.#run("pull", "--quiet", ...this.#loadOptions, reference);
  }

  push(reference: string): Promise<CommandResult> {
    return this.#run("push", "--quiet", reference);
  }

  collectGarbage(): Promise<CommandResult> {
    return this.#run("gc");
  }

  /** @throws Error, if anything is damaged */
  check(...options: readonly string[]): Promise<CommandResult> {
    return this.#run("check", ...options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scratch[Symbol.asyncDispose]();
  }

  #run(...args: readonly string[]): Promise<CommandResult> {
    const [program = process.execPath, ...first] = this.#command;
    return run(program, [...first, ...args], { signal: this.#signal });
  }
}

/** What `--driver` takes for it: the name of one of Strata's own, else the path of its module. */
function driverArgument({ driver, module }: DriverSubject): string {
  return ownModule(driver) === module.url ? driver : fileURLToPath(module.url);
}

function ownModule(driver: string): string | undefined {
  try {
    return import.meta.resolve(`@strata/driver-${driver}`);
  } catch {
    return undefined; // it is not installed
  }
}
