import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { commitEmpty, listIds, make } from "../../snapshots.ts";

const kinds = ["active", "view"] as const;

/** What can be a parent of what. */
export const parents: readonly Behaviour[] = [
  ...kinds.map((kind): Behaviour => {
    return {
      id: kind === "active" ? "prepare-on-active-fails" : "view-on-active-fails",
      title: `an active snapshot or a view is no parent of ${kind === "active" ? "an active" : "a view"}`,
      origin: "C",
      async run({ driver }) {
        await driver.prepare("an-active");
        await driver.view("a-view");
        for (const parent of ["an-active", "a-view"]) {
          await rejects(make(driver, kind, "key", parent), "FailedPrecondition");
        }
        await rejects(make(driver, kind, "key", "key"), "NotFound");
        assert.deepEqual(await listIds(driver), ["a-view", "an-active"]);
      },
    };
  }),
  ...kinds.map((kind): Behaviour => {
    return {
      id: kind === "active" ? "prepare-on-missing-fails" : "view-on-missing-fails",
      title: `a parent that is not there, or not any more, is no parent of ${kind === "active" ? "an active" : "a view"}`,
      origin: "C",
      async run({ driver }) {
        await commitEmpty(driver, "gone");
        await driver.remove("gone");
        for (const parent of ["never", "gone"]) await rejects(make(driver, kind, "key", parent), "NotFound");
        assert.deepEqual(await listIds(driver), []);
      },
    };
  }),
  {
    id: "parents-ordered",
    title: "of two layers with the same file the upper one's is seen, and each knows its parent",
    origin: "C",
    async run(trial) {
      const { driver } = trial;
      let parent: string | undefined;
      for (const name of ["1", "2", "3", "4"]) {
        const below = parent;
        await trial.commit(
          name,
          (at) => {
            if (below !== undefined) assert.equal(readFileSync(`${at}/file`, "utf8"), below);
            writeFileSync(`${at}/file`, name);
          },
          parent,
        );
        assert.equal((await driver.stat(name)).parent, parent);
        assert.equal((await driver.open(name)).parent, parent);
        parent = name;
      }
      for (const name of ["1", "2", "3", "4"]) {
        await trial.look(name, (at) => assert.equal(readFileSync(`${at}/file`, "utf8"), name));
      }
    },
  },
  {
    id: "layout-leads-to-parents",
    title: "a layout leads to the layouts of all parents, the nearest first, or to the parent's whole tree",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      await trial.commit("1", (at) => writeFileSync(`${at}/1`, ""));
      await trial.commit("2", (at) => writeFileSync(`${at}/2`, ""), "1");
      const top = await driver.prepare("top", "2");
      await trial.edit(top, (at) => writeFileSync(`${at}/3`, ""));
      const [one, two] = [(await driver.open("1")).layout(), (await driver.open("2")).layout()];
      const layout = top.layout();
      assert.equal((await driver.open("top")).layout().dir, layout.dir);
      if (layout.format === "overlay") {
        assert.deepEqual(layout.lowers, [two.dir, one.dir]);
        assert.deepEqual(
          [one, two, layout].map(({ dir }) => readdirSync(dir)),
          [["1"], ["2"], ["3"]],
        );
      } else {
        assert.equal("base" in one, false, "the first layer has no base");
        assert(layout.base !== undefined, "a child has a base");
        assert.deepEqual(readdirSync(layout.base).sort(), ["1", "2"]);
        assert.deepEqual(readdirSync(layout.dir).sort(), ["1", "2", "3"]);
      }
    },
  },
  {
    id: "parent-at-commit",
    title: "a snapshot prepared without a parent can be committed on top of one",
    origin: "C",
    needs: ["rebase"],
    async run(trial) {
      const { driver } = trial;
      const upper = await driver.prepare("upper.key");
      const lower = await driver.prepare("lower.key");
      await trial.edit(upper, (at) => writeFileSync(`${at}/upper`, "upper"));
      await trial.edit(upper, (at) => writeFileSync(`${at}/both`, "upper"));
      await trial.edit(lower, (at) => writeFileSync(`${at}/lower`, "lower"));
      await trial.edit(lower, (at) => writeFileSync(`${at}/both`, "lower"));
      await lower.commit("lower");
      const info = await upper.commit("upper", { parent: "lower" });
      assert.equal(info.parent, "lower");
      assert.deepEqual(await driver.stat("upper"), info);
      await trial.look("upper", (at) => {
        assert.deepEqual(readdirSync(at).sort(), ["both", "lower", "upper"]);
        assert.equal(readFileSync(`${at}/both`, "utf8"), "upper");
      });
      await rejects(driver.remove("lower"), "FailedPrecondition");
      await driver.remove("upper");
      await driver.remove("lower");
    },
  },
  {
    id: "parent-at-commit-checked",
    title: "a parent given at the commit must be there and be committed; refused, it is nobody's parent",
    origin: "N",
    needs: ["rebase"],
    async run({ driver }) {
      await driver.prepare("another");
      await driver.view("view");
      const active = await driver.prepare("key");
      await rejects(active.commit("name", { parent: "another" }), "FailedPrecondition");
      await rejects(active.commit("name", { parent: "view" }), "FailedPrecondition");
      await rejects(active.commit("name", { parent: "nobody" }), "NotFound");
      await rejects(active.commit("name", { parent: "name" }), "NotFound");
      await commitEmpty(driver, "base");
      await commitEmpty(driver, "taken");
      await rejects(active.commit("taken", { parent: "base" }), "AlreadyExists");
      await driver.remove("base");
      assert.equal((await driver.stat("key")).parent, undefined);
      await active.commit("name");
    },
  },
  {
    id: "parent-at-commit-unsupported",
    title: "a parent given at the commit is refused with Unsupported, and the snapshot stays active",
    origin: "N",
    needs: ["no rebase"],
    async run({ driver }) {
      await commitEmpty(driver, "base");
      const active = await driver.prepare("key");
      await rejects(active.commit("name", { parent: "base" }), "Unsupported");
      await driver.remove("base");
      await active.commit("name");
      assert.equal((await driver.stat("name")).parent, undefined);
    },
  },
  {
    id: "parent-change-refused",
    title: "a snapshot cannot be committed on another parent than it was prepared on; on the same it can",
    origin: "C",
    async run({ driver }) {
      await commitEmpty(driver, "base");
      await commitEmpty(driver, "other");
      const active = await driver.prepare("key", "base");
      await rejects(active.commit("name", { parent: "other" }), "FailedPrecondition");
      // What was refused did not make it a parent.
      await driver.remove("other");
      assert.equal((await active.commit("name", { parent: "base" })).parent, "base");
    },
  },
];
