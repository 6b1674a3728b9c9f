import { LoopFileSystem, missingFacilities, type Participant } from "@strata/conformance/suite";
import { btrfs } from "@strata/driver-btrfs";
import { overlay2 } from "@strata/driver-overlay2";
import { vfs } from "@strata/driver-vfs";

/** In memory, since each run takes new roots; the suite itself tries the same on disk. */
export const directory = "/dev/shm";

/** All drivers that can work here, each with a place for its roots, which is there until this is disposed. */
export class Drivers implements AsyncDisposable {
  readonly participants: readonly Participant[];
  readonly #fileSystem: LoopFileSystem | undefined;

  private constructor(participants: readonly Participant[], fileSystem?: LoopFileSystem) {
    this.participants = participants;
    this.#fileSystem = fileSystem;
  }

  /** @throws Error, under CI, if the host lacks something that one of them needs */
  static async open(): Promise<Drivers> {
    const everywhere: Participant[] = [
      { name: "overlay2", create: overlay2, directory },
      { name: "vfs", create: vfs, directory },
    ];
    const missing = missingFacilities(["mkfs.btrfs"]);
    if (missing.length > 0) {
      if (process.env["CI"]) throw new Error(`the host lacks ${missing.join(", ")}`);
      console.log(`skipped: btrfs, which needs ${missing.join(", ")}`);
      return new Drivers(everywhere);
    }
    const fileSystem = await LoopFileSystem.make("btrfs");
    const onBtrfs = { name: "btrfs", create: btrfs, directory: fileSystem.path };
    return new Drivers([...everywhere, onBtrfs], fileSystem);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fileSystem?.[Symbol.asyncDispose]();
  }
}
