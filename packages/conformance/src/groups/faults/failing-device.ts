import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isStrataError, type StorageDriver } from "@strata/core";
import { diff } from "@strata/layer";
import type { Behaviour, Need } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { limitDescriptors } from "../../host/descriptors.ts";
import { DriverProcess, type Step } from "../../host/driver-process.ts";
import { FailingDisk } from "../../host/failing-disk.ts";
import type { Trial } from "../../trial.ts";
import { fewFiles, hasFewFiles } from "./racing.ts";

const needs: readonly Need[] = ["state on disk", "host:root", "host:mkfs.ext4"];

const mebibyte = 2 ** 20;

/** Calls that must fail while no file can be opened and succeed when some can, each with what undoes it. */
const steps: readonly (readonly [
  Step<"prepare" | "view" | "commit" | "mount" | "setLabels">,
  ...string[],
])[] = [
  [["prepare", "new", "base"], "new"],
  [["view", "new", "base"], "new"],
  [["commit", "active", "new"], "new"],
  [["mount", "active"]],
  [["setLabels", "active", { a: "b" }]],
];

/** What a device that fails, and a process that may open no more files, leave undone. */
export const failingDevice: readonly Behaviour[] = [
  {
    id: "eio-commit",
    title:
      "a commit that a failing device cannot make durable fails, and earlier ones are there after the repair",
    origin: "N",
    needs,
    async run(trial) {
      await using disk = await FailingDisk.make(trial.under.fileSystem ?? "ext4", 6 * mebibyte);
      const create = () => trial.under.create({ root: disk.join("root"), durability: "commit" });
      {
        await using driver = await create();
        await commit(trial, driver, "good", fewFiles);
        const active = await driver.prepare("key", "good");
        // A driver that writes the tree to disk when it is unmounted learns of the failure there.
        const edit = trial.edit(active, (at) => writeFileSync(join(at, "big"), randomBytes(24 * mebibyte)));
        const failure = await edit
          .then(() => active.commit("bad"))
          .then(
            () => assert.fail("a commit that is nowhere on disk succeeded"),
            (error: unknown) => error,
          );
        assert(isStrataError(failure), String(failure));
        // A device can say that it has no space, too.
        assert.match(failure.message, /kernel's log|free some space/);
        // Nor is it there; but some file systems cannot even look any more.
        await rejects(driver.stat("bad"), "NotFound", "Corrupt");
      }
      await disk.repair();
      await using driver = await create();
      await rejects(driver.stat("bad"), "NotFound");
      await reads(driver, "good", hasFewFiles);
      // What was not committed may be lost or damaged, and can be removed.
      await driver
        .remove("key")
        .catch((error: unknown) => assert(isStrataError(error, "NotFound"), String(error)));
      await driver.cleanup();
      assert.deepEqual(await driver.check(), []);
      await commit(trial, driver, "bad", (at) => writeFileSync(join(at, "big"), randomBytes(24 * mebibyte)));
    },
  },
  {
    id: "eio-diff",
    title: "the diff of a layer that the device cannot give is Corrupt, and others can be read",
    origin: "N",
    needs,
    async run(trial) {
      await using disk = await unreadableBase(trial);
      await using driver = await trial.under.create({ root: disk.join("root"), durability: "commit" });
      await rejects(consume(diff((await driver.open("bad")).layout())), "Corrupt");
      await reads(driver, "good", hasFewFiles);
    },
  },
  {
    id: "eio-prepare",
    title: "prepare on a parent that the device cannot give is Corrupt and makes nothing",
    origin: "N",
    needs: [...needs, "no sharesParent"],
    async run(trial) {
      await using disk = await unreadableBase(trial);
      await using driver = await trial.under.create({ root: disk.join("root"), durability: "commit" });
      const prepared = driver.prepare("child", "bad");
      // Where the copy shares the parent's blocks, nothing was read yet.
      await rejects(
        prepared.then((active) => consume(diff(active.layout()))),
        "Corrupt",
      );
      await driver.remove("child").catch(() => {});
      assert.deepEqual(await idsOf(driver), ["bad", "good"]);
      await driver.cleanup();
      await driver.prepare("child", "good");
      assert.deepEqual(await driver.check(), []);
    },
  },
  {
    id: "emfile",
    title: "a process that may open no more files is told so, changes nothing, and works when it may",
    origin: "N",
    needs: ["state on disk", "processes", "host:root", "host:prlimit"],
    async run(trial) {
      await trial.commit("base", fewFiles);
      for (const [step, ...made] of steps) {
        await trial.driver.prepare("active", "base");
        await using child = await DriverProcess.start(trial);
        assert(child.pid !== undefined);
        // Node opens some files of its own when it does a thing for the first time.
        await child.do(["list"]);
        let failures = 0;
        for (let more = 0; ; more += 1) {
          const before = await idsOf(trial.driver);
          await limitDescriptors(child.pid, more);
          const result = await child.do(step).then(
            () => undefined,
            (error: unknown) => error,
          );
          await limitDescriptors(child.pid, 200);
          if (result === undefined) break;
          failures += 1;
          assert(more < 60, `${step[0]} does not work with ${more} files either: ${result}`);
          assert(isStrataError(result, "Busy"), `${step[0]} with ${more} files: ${result}`);
          assert.match(result.message, /EMFILE/);
          assert.deepEqual(await idsOf(trial.driver), before, `after ${step[0]} with ${more} files`);
          assert.deepEqual(await trial.driver.check(), []);
        }
        assert(failures > 0, `${step[0]} needed no file`);
        await child.do(["close"]);
        for (const id of made) await trial.driver.remove(id);
        await trial.driver.remove("active").catch(() => {});
        await trial.driver.cleanup();
      }
    },
  },
];

/** A disk with `good`, and `bad` whose content cannot be read. */
async function unreadableBase(trial: Trial): Promise<FailingDisk> {
  const disk = await FailingDisk.make(trial.under.fileSystem ?? "ext4", 400 * mebibyte);
  try {
    await using driver = await trial.under.create({ root: disk.join("root"), durability: "commit" });
    await commit(trial, driver, "good", fewFiles);
    await commit(trial, driver, "bad", (at) => writeFileSync(join(at, "big"), randomBytes(40 * mebibyte)));
    await driver.close();
    await disk.cutOff(0.25);
    return disk;
  } catch (error) {
    await disk[Symbol.asyncDispose]();
    throw error;
  }
}

async function commit(
  trial: Trial,
  driver: StorageDriver,
  name: string,
  edit: (at: string) => void,
): Promise<void> {
  const active = await driver.prepare(`${name}.key`);
  await trial.edit(active, edit);
  await active.commit(name);
}

async function reads(driver: StorageDriver, name: string, look: (at: string) => void): Promise<void> {
  const view = await driver.view("look", name);
  {
    await using mount = await view.mount();
    look(mount.path);
  }
  await driver.remove("look");
}

async function idsOf(driver: StorageDriver): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of driver.list()) ids.push(id);
  return ids.sort();
}

async function consume(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of bytes) assert(chunk.length > 0);
}
