import assert from "node:assert/strict";
import { openSync } from "node:fs";
import {
  type ActiveSnapshot,
  type ErrorCode,
  errnoCode,
  isStrataError,
  type Mount,
  type StorageDriver,
  type ViewSnapshot,
} from "@strata/core";
import type { DriverUnderTest } from "../driver-under-test.ts";
import { rejects } from "../expect.ts";
import { mountsBelow, Scratch } from "../host/scratch.ts";
import { changeDisk } from "./change-disk.ts";
import { Inspector } from "./inspector.ts";
import { firstTime, Model } from "./model.ts";
import type { Step } from "./step.ts";

/** A driver that takes part; its `directory` is where its roots go. */
export type Participant = Pick<DriverUnderTest, "name" | "create" | "persistent" | "directory">;

/** A driver on a root of its own, with the model that it is compared with. */
export class Subject implements AsyncDisposable {
  readonly name: string;
  readonly model: Model;
  readonly inspector: Inspector;
  readonly #under: Participant;
  readonly #scratch: Scratch;
  readonly #root: string;
  #driver: StorageDriver;
  readonly #mounts = new Map<string, Mount[]>();
  #committed: ActiveSnapshot | undefined;
  /** The mount of an edit, which is looked at before it is closed: mounting is what costs. */
  #edited: Mount | undefined;

  private constructor(under: Participant, scratch: Scratch, driver: StorageDriver) {
    this.name = under.name;
    this.#under = under;
    this.#scratch = scratch;
    this.#root = scratch.join("root");
    this.#driver = driver;
    this.model = new Model(driver.capabilities);
    this.inspector = new Inspector(this.model);
  }

  static async open(under: Participant): Promise<Subject> {
    const scratch = new Scratch(under.directory);
    try {
      return new Subject(
        under,
        scratch,
        await under.create({ root: scratch.join("root"), durability: "none" }),
      );
    } catch (error) {
      await scratch[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Do a step, and compare what came of it with the model.
   * @returns the code with which it was refused
   * @throws AssertionError, if the driver did what it must not, or did not what it must
   */
  async perform(step: Step): Promise<ErrorCode | undefined> {
    const allowed = this.model.refusals(step);
    let copied = false;
    try {
      copied = await this.#call(step);
    } catch (error) {
      if (!isStrataError(error)) throw error;
      const expected = allowed.length === 0 ? "success" : allowed.join(" or ");
      assert(allowed.includes(error.code), `expected ${expected}, not ${error.code}: ${error.message}`);
      return error.code;
    }
    assert(allowed.length === 0, `expected ${allowed.join(" or ")}, but it succeeded`);
    this.model.take(step, copied);
    return undefined;
  }

  /** Compare all that concerns a step with the model. */
  async verify(step: Step): Promise<void> {
    await this.inspector.list(this.#driver);
    const id = "key" in step ? step.key : "id" in step ? step.id : undefined;
    if (id !== undefined) await this.inspector.stat(this.#driver, id);
    const touched = step.call === "commit" ? step.name : id;
    if (touched !== undefined && this.model.find(touched) !== undefined) {
      const edited = this.#edited;
      this.#edited = undefined;
      await this.inspector.snapshot(this.#driver, touched, edited);
    }
  }

  /** Compare all there is, then take it away and see that nothing is left. */
  async finish(): Promise<void> {
    for (const id of this.model.ids()) await this.inspector.snapshot(this.#driver, id);
    assert.deepEqual(await this.#driver.check(), [], "check finds something");
    for (const id of this.model.ids()) {
      if (this.model.get(id).persistent) await this.perform({ call: "unmount", key: id });
    }
    await this.perform({ call: "reopen" });
    for (let ids = this.model.ids(); ids.length > 0; ids = this.model.ids()) {
      for (const id of ids) if (!this.model.hasChildren(id)) await this.perform({ call: "remove", id });
    }
    await this.perform({ call: "cleanup" });
    await this.inspector.list(this.#driver);
    assert.deepEqual(mountsBelow(this.#root).map(String), [], "something is left mounted");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Also after a failure, when anything may be wrong: what only the driver can delete is deleted by it.
    try {
      await this.#clear();
    } catch {
      // The failure that led here is the one to tell of.
    } finally {
      await this.#driver.close().catch(() => {});
      await this.#scratch[Symbol.asyncDispose]();
    }
  }

  /** @returns whether a directory that was to be renamed had to be copied */
  async #call(step: Step): Promise<boolean> {
    const driver = this.#driver;
    switch (step.call) {
      case "prepare": {
        const { key, parent, labels } = step;
        const active = await driver.prepare(key, parent, { labels });
        if (parent !== undefined) break;
        await using mount = await active.mount();
        await changeDisk(mount.path, {
          change: "utimes",
          path: "",
          mtime: firstTime,
          now: firstTime,
          quiet: true,
        });
        break;
      }
      case "view":
        await driver.view(step.key, step.parent, { labels: step.labels });
        break;
      case "commit": {
        const active = await this.#active(step.key);
        const { labels, parent } = step;
        await active.commit(step.name, { ...(labels && { labels }), ...(parent && { parent }) });
        this.#committed = active;
        break;
      }
      case "commit again":
        // Before the first, there is nothing either.
        await (this.#committed ?? (await this.#active("nothing"))).commit(step.name);
        break;
      case "remove":
        await driver.remove(step.id);
        break;
      case "mount": {
        const mount = await (await this.#mountable(step.key)).mount({ persistent: step.persistent });
        if (step.persistent) await mount.close();
        else this.#mounts.set(step.key, [...(this.#mounts.get(step.key) ?? []), mount]);
        break;
      }
      case "close mount": {
        const mount = this.#mounts.get(step.key)?.pop();
        await mount?.close();
        await mount?.close(); // Twice is fine.
        break;
      }
      case "unmount": {
        const was = this.model.find(step.key)?.persistent;
        assert.equal(await (await this.#mountable(step.key)).unmount(), was, "what unmount returns");
        break;
      }
      case "label":
        assert.deepEqual((await driver.setLabels(step.id, step.labels)).labels, step.labels);
        break;
      case "list":
        await this.inspector.list(driver, step.filter);
        break;
      case "cleanup":
        await driver.cleanup();
        assert.deepEqual(
          await driver.cleanup(),
          { removed: 0, bytes: 0 },
          "a second cleanup finds something",
        );
        break;
      case "reopen":
        await this.#reopen();
        break;
      case "edit": {
        const mount = await (await this.#active(step.key)).mount();
        this.#edited = mount;
        const copied = await changeDisk(mount.path, step.step);
        assert(
          !copied || this.model.mayCopy(step.key, step.step),
          "a directory could not be renamed (EXDEV)",
        );
        return copied;
      }
      case "write into view": {
        await using mount = await (await this.#mountable(step.key)).mount();
        assert.equal(
          errnoOf(() => openSync(`${mount.path}/written`, "wx")),
          "EROFS",
          "a view was written to",
        );
        break;
      }
    }
    return false;
  }

  async #reopen(): Promise<void> {
    // One that keeps its state in memory has nothing to come back to.
    if (this.#under.persistent === false) {
      for (const mount of [...this.#mounts.values()].flat()) await mount.close();
    } else {
      const old = this.#driver;
      this.#driver = await this.#under.create({ root: this.#root, durability: "none" });
      await old.close();
      await rejects(old.stat("a"), "FailedPrecondition");
    }
    this.#mounts.clear();
    this.#committed = undefined;
  }

  async #active(key: string): Promise<ActiveSnapshot> {
    const snapshot = await this.#driver.open(key);
    assert(snapshot.kind === "active", `${key} is ${snapshot.kind}, not active`);
    return snapshot;
  }

  async #mountable(key: string): Promise<ActiveSnapshot | ViewSnapshot> {
    const snapshot = await this.#driver.open(key);
    assert(snapshot.kind !== "committed", `${key} is committed`);
    return snapshot;
  }

  /** Whatever the model says. */
  async #clear(): Promise<void> {
    for (const mount of [this.#edited, ...[...this.#mounts.values()].flat()]) await mount?.close();
    for (let left = true; left; ) {
      left = false;
      for await (const { id, kind } of this.#driver.list()) {
        if (kind !== "committed") await (await this.#mountable(id)).unmount({ force: true });
        left = await this.#driver.remove(id).then(
          () => true,
          () => left,
        );
      }
    }
    await this.#driver.cleanup();
  }
}

function errnoOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return errnoCode(error);
  }
}
