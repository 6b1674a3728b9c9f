import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type FileSystemType, LoopFileSystem, missingFacilities, Scratch } from "@strata/conformance/suite";
import { describe, expect, it } from "vitest";
import { deviceWrittenBytes } from "../src/host/block-device.ts";

const MiB = 2 ** 20;

describe.each<FileSystemType>(["ext4", "xfs", "btrfs"])("the block device of %s", (type) => {
  const missing = missingFacilities(["root", `mkfs.${type}`]);
  const title = (what: string) =>
    missing.length === 0 ? what : `${what} (missing here: ${missing.join(", ")})`;
  const itIfPossible = it.skipIf(missing.length > 0 && !process.env["CI"]);

  itIfPossible(title("has written what a file has, and little more"), async () => {
    await using made = await LoopFileSystem.make(type);
    expect(await writtenWhile(made.path, () => {})).toBeLessThan(2 * MiB);
    const content = Buffer.alloc(16 * MiB, "x");
    const written = await writtenWhile(made.path, () => writeFileSync(made.join("file"), content));
    expect(written).toBeGreaterThanOrEqual(16 * MiB);
    expect(written).toBeLessThan(20 * MiB);
  });

  itIfPossible(title("has not written what lies on another one"), async () => {
    await using made = await LoopFileSystem.make(type);
    await using scratch = new Scratch();
    const written = await writtenWhile(made.path, () =>
      writeFileSync(join(scratch.path, "file"), Buffer.alloc(16 * MiB, "x")),
    );
    expect(written).toBeLessThan(2 * MiB);
  });
});

it("there is none below a file system in memory, which writes nothing", async () => {
  expect(await writtenWhile("/dev/shm", () => {})).toBe(0);
});

async function writtenWhile(directory: string, act: () => void): Promise<number> {
  const before = await deviceWrittenBytes(directory);
  act();
  return (await deviceWrittenBytes(directory)) - before;
}
