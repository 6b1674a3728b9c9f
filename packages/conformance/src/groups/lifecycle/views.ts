import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import type { Behaviour } from "../../behaviour.ts";
import { refusesWrite, rejects } from "../../expect.ts";
import { listChanges } from "../../trees/diffs.ts";

/** Views: looks at a tree that change nothing. */
export const views: readonly Behaviour[] = [
  {
    id: "view-is-really-readonly",
    title: "a view refuses every kind of write, by root too",
    origin: "C",
    needs: ["readonlyViews"],
    async run(trial) {
      await trial.commit("base", (at) => {
        mkdirSync(`${at}/dir`);
        writeFileSync(`${at}/dir/file`, "base");
      });
      await trial.driver.view("view", "base");
      await trial.look("view", (at) => {
        refusesWrite(() => writeFileSync(`${at}/new`, ""));
        refusesWrite(() => writeFileSync(`${at}/dir/file`, ""));
        refusesWrite(() => appendFileSync(`${at}/dir/file`, "more"));
        refusesWrite(() => mkdirSync(`${at}/dir/new`));
        refusesWrite(() => rmSync(`${at}/dir/file`));
        refusesWrite(() => renameSync(`${at}/dir/file`, `${at}/moved`));
        refusesWrite(() => linkSync(`${at}/dir/file`, `${at}/linked`));
        refusesWrite(() => chmodSync(`${at}/dir/file`, 0o777));
        refusesWrite(() => chmodSync(at, 0o777));
        refusesWrite(() => utimesSync(`${at}/dir/file`, 1, 1));
        assert.equal(readFileSync(`${at}/dir/file`, "utf8"), "base");
      });
    },
  },
  {
    id: "view-writable-but-apart",
    title: "what is written to a view that is not read-only does not reach its parent",
    origin: "N",
    needs: ["no readonlyViews"],
    async run(trial) {
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      await trial.driver.view("view", "base");
      await trial.look("view", (at) => writeFileSync(`${at}/file`, "changed"));
      await trial.look("base", (at) => assert.equal(readFileSync(`${at}/file`, "utf8"), "base"));
    },
  },
  {
    id: "view-of-nothing",
    title: "a view without a parent is an empty tree, and read-only where views are",
    origin: "C",
    async run(trial) {
      const view = await trial.driver.view("view");
      assert.equal(view.kind, "view");
      assert.equal(view.parent, undefined);
      await trial.look("view", (at) => {
        assert.deepEqual(readdirSync(at), []);
        if (trial.driver.capabilities.readonlyViews.supported) {
          refusesWrite(() => writeFileSync(`${at}/new`, ""));
        }
      });
    },
  },
  {
    id: "view-changes-nothing",
    title: "the layer of a view has no changes",
    origin: "N",
    async run(trial) {
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      const view = await trial.driver.view("view", "base");
      await trial.look("view", (at) => readFileSync(`${at}/file`));
      assert.deepEqual(await listChanges(view.layout()), []);
    },
  },
  {
    id: "many-views",
    title: "several views of one snapshot, also mounted together, show the same and are removed one by one",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      const keys = ["one", "two", "three"];
      const made = await Promise.all(keys.map((key) => driver.view(key, "base")));
      const mounts = await Promise.all(made.map((view) => view.mount()));
      await driver.remove((await driver.view("four", "base")).id);
      for (const { path } of mounts) assert.equal(readFileSync(`${path}/file`, "utf8"), "base");
      for (const mount of mounts) await mount.close();
      for (const key of keys) {
        await rejects(driver.remove("base"), "FailedPrecondition");
        await driver.remove(key);
      }
      await driver.remove("base");
    },
  },
];
