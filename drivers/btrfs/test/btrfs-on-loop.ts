import { join } from "node:path";
import { LoopFileSystem, missingFacilities, Scratch } from "@strata/conformance/suite";
import { afterAll, beforeAll, describe } from "vitest";

const missing = missingFacilities(["root", "mkfs.btrfs"]);
if (missing.length > 0) {
  const reason = `tests on btrfs need ${missing.join(", ")}`;
  if (process.env["CI"]) throw new Error(reason);
  console.log(`skipped: ${reason}`);
}

/** A btrfs of the tests' own, mounted. */
export interface Disk {
  readonly path: string;
  /** A new directory in it. */
  scratch(): string;
}

/** Tests on a new btrfs, on a loop device. */
export function describeOnBtrfs(title: string, tests: (disk: Disk) => void): void {
  describe.skipIf(missing.length > 0)(title, () => {
    let loop: LoopFileSystem | undefined;
    beforeAll(async () => {
      loop = await LoopFileSystem.make("btrfs", { sizeBytes: 4 * 2 ** 30 });
    });
    afterAll(async () => loop?.[Symbol.asyncDispose]());
    tests({
      get path() {
        if (loop === undefined) throw new Error("the file system is there during tests only");
        return loop.path;
      },
      scratch() {
        return join(new Scratch(this.path).path);
      },
    });
  });
}
