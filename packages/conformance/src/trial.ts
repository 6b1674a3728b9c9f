import { mkdirSync } from "node:fs";
import type { ActiveSnapshot, DriverOptions, StorageDriver } from "@strata/core";
import type { DriverUnderTest } from "./driver-under-test.ts";
import { Scratch } from "./host/scratch.ts";

/** What one behaviour is tried with: a driver on an empty root of its own. Disposed, it leaves nothing behind. */
export class Trial implements AsyncDisposable {
  readonly under: DriverUnderTest;
  readonly driver: StorageDriver;
  readonly #scratch: Scratch;
  readonly #drivers: StorageDriver[] = [];

  private constructor(under: DriverUnderTest, scratch: Scratch, driver: StorageDriver) {
    this.under = under;
    this.#scratch = scratch;
    this.driver = driver;
    this.#drivers.push(driver);
  }

  /** @param directory - where its scratch files go; decides the file system */
  static async open(under: DriverUnderTest, directory = under.directory): Promise<Trial> {
    const scratch = new Scratch(directory);
    try {
      const driver = await under.create({ root: scratch.join("root"), durability: "none" });
      return new Trial(under, scratch, driver);
    } catch (error) {
      await scratch[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The driver's root. */
  get root(): string {
    return this.#scratch.join("root");
  }

  /** The path of a scratch file or directory outside of the driver's root, on the same file system. */
  path(...names: readonly string[]): string {
    return this.#scratch.join(...names);
  }

  /** A new empty directory outside of the driver's root, on the same file system. */
  directory(name: string): string {
    const path = this.path(name);
    mkdirSync(path);
    return path;
  }

  /** Open another driver on the same root, as another process or a later one would; closed at the end. */
  async reopen(options: Partial<DriverOptions> = {}): Promise<StorageDriver> {
    const driver = await this.under.create({ root: this.root, durability: "none", ...options });
    this.#drivers.push(driver);
    return driver;
  }

  /** Commit a new snapshot whose tree `edit` makes, on top of `parent`. */
  async commit(name: string, edit: Edit = () => {}, parent?: string): Promise<void> {
    const active = await this.driver.prepare(`${name}.key`, parent);
    await this.edit(active, edit);
    await active.commit(name);
  }

  /** Change the tree of an active snapshot through a mount of it. */
  async edit(active: ActiveSnapshot, edit: Edit): Promise<void> {
    await using mount = await active.mount();
    await edit(mount.path);
  }

  /** Look at the tree of a snapshot through a mount: at an active's or a view's own, at a committed one's by a view. */
  async look<T>(id: string, look: (at: string) => T | Promise<T>): Promise<T> {
    const opened = await this.driver.open(id);
    if (opened.kind !== "committed") {
      await using mount = await opened.mount();
      return await look(mount.path);
    }
    const key = `look.${Math.random().toString(36).slice(2)}`;
    const view = await this.driver.view(key, id);
    try {
      await using mount = await view.mount();
      return await look(mount.path);
    } finally {
      await this.driver.remove(key);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A behaviour that failed may have left anything in use: scratch takes care of what is still mounted.
    for (const driver of this.#drivers) await driver.close().catch(() => {});
    await this.#scratch[Symbol.asyncDispose]();
  }
}

/** Changes a tree, given the path of its root. */
export type Edit = (at: string) => void | Promise<void>;
