import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Snapshot } from "@strata/core";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { openActive } from "../../snapshots.ts";

/** What committing does, and what it refuses. */
export const committed: readonly Behaviour[] = [
  {
    id: "key-gone-after-commit",
    title: "a committed snapshot has its name, and its key is free",
    origin: "C",
    async run({ driver }) {
      const active = await driver.prepare("key");
      const info = await active.commit("name");
      assert.deepEqual(info, await driver.stat("name"));
      assert.equal(info.kind, "committed");
      await rejects(driver.stat("key"), "NotFound");
      await rejects(driver.open("key"), "NotFound");
      await driver.prepare("key", "name");
    },
  },
  {
    id: "commit-of-view-fails",
    title: "a view has nothing to commit",
    origin: "C",
    async run({ driver }) {
      await refusesCommit(await driver.view("view"));
      await refusesCommit(await driver.open("view"));
      assert.equal((await driver.stat("view")).kind, "view");
    },
  },
  {
    id: "commit-of-committed-fails",
    title: "what was committed cannot be committed again, by whichever handle",
    origin: "C",
    async run({ driver }) {
      const active = await driver.prepare("key");
      const same = await openActive(driver, "key");
      await active.commit("name");
      await rejects(active.commit("other"), "FailedPrecondition");
      await rejects(same.commit("other"), "FailedPrecondition");
      await rejects(driver.stat("other"), "NotFound");
      await refusesCommit(await driver.open("name"));
    },
  },
  {
    id: "commit-of-missing-fails",
    title: "what was removed cannot be committed",
    origin: "N",
    async run({ driver }) {
      const active = await driver.prepare("key");
      await driver.remove("key");
      await rejects(active.commit("name"), "NotFound");
      await rejects(driver.stat("name"), "NotFound");
    },
  },
  {
    id: "handle-means-one-snapshot",
    title: "a handle on a removed snapshot does not mean a later one of the same key",
    origin: "N",
    async run({ driver }) {
      const removed = await driver.prepare("key");
      await driver.remove("key");
      await driver.prepare("key");
      await rejects(removed.commit("name"), "NotFound");
      await rejects(removed.mount(), "NotFound");
      await rejects(removed.unmount(), "NotFound");
      assert.equal((await driver.stat("key")).kind, "active");
    },
  },
  {
    id: "failed-commit-changes-nothing",
    title: "a snapshot whose commit was refused stays active as it was, and can be committed later",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      await trial.commit("taken");
      const active = await driver.prepare("key", undefined, { labels: { l: "1" } });
      await trial.edit(active, (at) => writeFileSync(`${at}/one`, "1"));
      const before = await driver.stat("key");
      await rejects(active.commit("taken", { labels: { l: "2" } }), "AlreadyExists");
      await rejects(
        active.commit("name", { parent: "nobody", labels: { l: "2" } }),
        "NotFound",
        "Unsupported",
      );
      assert.deepEqual(await driver.stat("key"), before);
      await trial.edit(active, (at) => writeFileSync(`${at}/two`, "2"));
      await active.commit("name");
      await trial.look("name", (at) => assert.deepEqual(readdirSync(at).sort(), ["one", "two"]));
    },
  },
  {
    id: "commit-keeps-labels",
    title: "a committed snapshot has the labels of the active, or those given at the commit in their place",
    origin: "C",
    async run({ driver }) {
      const labels = { from: "prepare" };
      const one = await driver.prepare("one", undefined, { labels });
      assert.deepEqual((await one.commit("1")).labels, labels);
      const two = await driver.prepare("two", undefined, { labels });
      assert.deepEqual((await two.commit("2", { labels: { at: "commit" } })).labels, { at: "commit" });
      assert.deepEqual((await driver.stat("2")).labels, { at: "commit" });
      const three = await driver.prepare("three", undefined, { labels });
      assert.deepEqual((await three.commit("3", { labels: {} })).labels, {});
    },
  },
  {
    id: "committed-never-changes",
    title: "nothing done to its children changes a committed snapshot",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "of the base"));
      const [one, two] = [await driver.prepare("one", "base"), await driver.prepare("two", "base")];
      await trial.edit(one, (at) => writeFileSync(`${at}/file`, "of the child"));
      const read = (at: string) => readFileSync(`${at}/file`, "utf8");
      assert.equal(await trial.look("base", read), "of the base");
      await trial.edit(two, (at) => assert.equal(read(at), "of the base"));
      await one.commit("child");
      assert.equal(await trial.look("base", read), "of the base");
      assert.equal(await trial.look("child", read), "of the child");
    },
  },
  {
    id: "commit-in-place-of-another",
    title:
      "a snapshot takes the place of a damaged one, if it is asked to, and what is on top of that goes on",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      const read = (at: string) => readFileSync(`${at}/file`, "utf8");
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "damaged"));
      const child = await driver.prepare("child", "base");
      await trial.edit(child, (at) => writeFileSync(`${at}/own`, "own"));
      const good = await driver.prepare("good");
      await trial.edit(good, (at) => writeFileSync(`${at}/file`, "good"));
      await rejects(good.commit("base"), "AlreadyExists");
      await rejects(good.commit("child", { replace: true }), "AlreadyExists");
      const info = await good.commit("base", { replace: true, labels: { mended: "yes" } });
      assert.deepEqual(info, await driver.stat("base"));
      assert.deepEqual(info.labels, { mended: "yes" });
      await rejects(driver.stat("good"), "NotFound");
      assert.equal(await trial.look("base", read), "good");
      await trial.edit(child, (at) => assert.equal(readFileSync(`${at}/own`, "utf8"), "own"));
      await rejects(driver.remove("base"), "FailedPrecondition");
      await child.commit("top");
      assert.equal((await driver.stat("top")).parent, "base");
      await driver.cleanup();
      assert.equal(await trial.look("base", read), "good");
      assert.deepEqual(await driver.check(), []);
      await driver.remove("top");
      await driver.remove("base");
      const first = await driver.prepare("first");
      await first.commit("of-none", { replace: true });
    },
  },
  {
    id: "commit-in-place-below-a-mount",
    title: "a snapshot does not take the place of another as long as a tree on top of that is mounted",
    origin: "N",
    needs: ["sharesParent"],
    async run(trial) {
      const { driver } = trial;
      const read = (at: string) => readFileSync(`${at}/file`, "utf8");
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "damaged"));
      await (await driver.prepare("middle.key", "base")).commit("middle");
      const top = await driver.prepare("top", "middle");
      const good = await driver.prepare("good");
      await trial.edit(good, (at) => writeFileSync(`${at}/file`, "good"));
      for (const persistent of [false, true]) {
        const mount = await top.mount({ persistent });
        await rejects(good.commit("base", { replace: true }), "Busy");
        assert.equal(read(mount.path), "damaged");
        await (persistent ? top.unmount() : mount.close());
      }
      await good.commit("base", { replace: true });
      assert.equal(await trial.look("base", read), "good");
      assert.deepEqual(await driver.check(), []);
    },
  },
  {
    id: "synced-commit",
    title: "several snapshots can be made durable by one sync and be committed then",
    origin: "N",
    needs: ["state on disk"],
    async run(trial) {
      const driver = await trial.reopen({ durability: "commit" });
      const made = [await driver.prepare("1.key"), await driver.prepare("2.key")];
      for (const active of made) await trial.edit(active, (at) => writeFileSync(`${at}/file`, active.id));
      await driver.sync();
      for (const [n, active] of made.entries()) await active.commit(`${n + 1}`, { synced: true });
      for (const name of ["1", "2"]) {
        const read = (at: string) => readFileSync(`${at}/file`, "utf8");
        assert.equal(await trial.look(name, read), `${name}.key`);
      }
    },
  },
];

/** A snapshot that is not active has no such method; if it has one all the same, that refuses. */
async function refusesCommit(snapshot: Snapshot): Promise<void> {
  assert.notEqual(snapshot.kind, "active");
  const commit = Reflect.get(snapshot, "commit");
  if (commit !== undefined) await rejects(commit.call(snapshot, "other"), "FailedPrecondition");
}
