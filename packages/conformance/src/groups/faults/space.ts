import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DriverOptions, isStrataError, type SnapshotInfo, type StorageDriver } from "@strata/core";
import { FullDisk, type FullDiskOptions } from "../../host/full-disk.ts";
import type { Trial } from "../../trial.ts";

/** What a failure may leave on disk: a block or two of a directory that the next attempt needs, or a node of btrfs. */
const toleratedBytes = 16 * 1024;

export interface CrampedOptions {
  /** What the disk lacks. @defaultValue "bytes" */
  readonly full?: "bytes" | "inodes";
  /** Looks for more that must be as it was after each failure. @defaultValue nothing */
  readonly unchanged?: () => Promise<void>;
}

/** A driver on a small disk of its own, which runs full in the middle of what it does. */
export class CrampedDriver implements AsyncDisposable {
  readonly disk: FullDisk;
  readonly #under: Trial["under"];
  #driver: StorageDriver | undefined;

  private constructor(under: Trial["under"], disk: FullDisk) {
    this.#under = under;
    this.disk = disk;
  }

  static async make({ under }: Trial, options: FullDiskOptions = {}): Promise<CrampedDriver> {
    const disk = await FullDisk.make(under.fileSystem ?? "ext4", {
      ...(under.directory !== undefined && { directory: under.directory }),
      ...options,
    });
    return new CrampedDriver(under, disk);
  }

  /** Opened by {@link open}. */
  get driver(): StorageDriver {
    assert(this.#driver !== undefined, "the driver is not open");
    return this.#driver;
  }

  async open(options: Partial<DriverOptions> = {}): Promise<StorageDriver> {
    await this.#driver?.close();
    this.#driver = await this.#under.create({ root: this.disk.join("root"), durability: "none", ...options });
    return this.#driver;
  }

  /**
   * Do something on a disk that is full, then again each time with more space, until it succeeds. Each time before, it
   * must fail with `NoSpace` and leave everything as it was, which is what `unchanged` looks at too.
   * @returns how often it failed
   */
  async untilItFits(
    work: () => Promise<unknown>,
    { unchanged = async () => {}, full = "bytes" }: CrampedOptions = {},
  ): Promise<number> {
    const before = await this.#state();
    if (full === "bytes") this.disk.fill();
    else this.disk.fillInodes();
    for (let failures = 0; ; failures += 1) {
      const free = this.disk.freeBytes;
      if (await fits(work)) {
        this.disk.relieve();
        assert.deepEqual(await this.driver.check(), []);
        return failures;
      }
      assert.deepEqual(await this.#state(), before);
      await unchanged();
      await this.driver.cleanup();
      const now = await this.disk.freeAgain(free - toleratedBytes);
      assert(now >= free - toleratedBytes, `${free} bytes were free before a failure, and ${now} after it`);
      assert(this.disk.more(), `it does not even fit when ${free} bytes are free`);
    }
  }

  async #state(): Promise<SnapshotInfo[]> {
    const infos: SnapshotInfo[] = [];
    for await (const info of this.driver.list()) infos.push(info);
    assert.deepEqual(await this.driver.check(), []);
    return infos.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver?.close().catch(() => {});
    await this.disk[Symbol.asyncDispose]();
  }
}

/** Whether there was space for it. Whatever else fails, fails. */
async function fits(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    assert(isStrataError(error, "NoSpace"), `expected NoSpace, not ${error}`);
    assert.match(error.message, /free some space/, "the message says what to do");
    return false;
  }
}

/** A tree of 60 files and 2 MiB that no file system can make smaller. */
export function tree(at: string): void {
  for (let n = 0; n < 60; n += 1) {
    const dir = join(at, `${n % 6}`);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, `${n}`), randomBytes(35_000));
  }
}
