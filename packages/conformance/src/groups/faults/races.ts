import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Behaviour } from "../../behaviour.ts";
import { assertSound, fewFiles, hasFewFiles, oneDone, outcomes, times } from "./racing.ts";

/** What several callers do to one root at the same time. */
export const races: readonly Behaviour[] = [
  {
    id: "same-key-race",
    title: "of several prepares of one key at once, one wins, and the others get AlreadyExists",
    origin: "N",
    async run(trial) {
      for (let round = 0; round < 5; round += 1) {
        oneDone(await outcomes(times(8, () => trial.driver.prepare(`key-${round}`))), "AlreadyExists");
      }
      await assertSound(trial, ...times(5, (round) => `key-${round}`));
    },
  },
  {
    id: "same-name-commit-race",
    title: "of several commits to one name at once, one wins, and the others stay active",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      const actives = await Promise.all(times(6, (n) => driver.prepare(`key-${n}`)));
      for (const active of actives)
        await trial.edit(active, (at) => writeFileSync(join(at, "by"), active.id));
      const codes = await outcomes(actives.map((active) => active.commit("name")));
      oneDone(codes, "AlreadyExists");
      const winner = `key-${codes.indexOf("done")}`;
      await trial.look("name", (at) => assert.equal(readFileSync(join(at, "by"), "utf8"), winner));
      for (const active of actives.filter(({ id }) => id !== winner)) {
        const { id } = active;
        writeFileSync(join(active.layout().dir, "written-since"), "");
        await trial.look(id, (at) => assert.equal(readFileSync(join(at, "by"), "utf8"), id));
        await driver.remove(id);
      }
      await assertSound(trial, "name");
    },
  },
  {
    id: "key-and-name-race",
    title: "of a prepare and a commit to one word at once, one wins: keys and names share one space",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      for (let round = 0; round < 8; round += 1) {
        const active = await driver.prepare(`key-${round}`);
        const calls = [driver.prepare(`word-${round}`), active.commit(`word-${round}`)];
        oneDone(await outcomes(round % 2 === 0 ? calls : calls.reverse()), "AlreadyExists");
      }
      assert.deepEqual(await driver.check(), []);
    },
  },
  {
    id: "remove-vs-prepare",
    title: "of a remove of a parent and a prepare on it at once, one wins, never both",
    origin: "N",
    async run(trial) {
      const other = trial.under.persistent === false ? trial.driver : await trial.reopen();
      for (let round = 0; round < 12; round += 1) {
        await trial.commit("base", (at) => writeFileSync(join(at, "file"), "content"));
        const calls = [() => trial.driver.remove("base"), () => other.prepare("child", "base")];
        const inOrder = round % 2 === 0 ? calls : calls.toReversed();
        const codes = await outcomes(inOrder.map((call) => call()));
        const outcome = (round % 2 === 0 ? codes : codes.toReversed()).join(" ");
        assert.match(outcome, /^(done NotFound|FailedPrecondition done)$/);
        if (outcome.endsWith("done")) {
          await trial.look("child", (at) => assert.equal(readFileSync(join(at, "file"), "utf8"), "content"));
          await trial.driver.remove("child");
          await trial.driver.remove("base");
        }
        await assertSound(trial);
      }
    },
  },
  {
    id: "mount-vs-remove",
    title: "of a mount and a remove at once, one wins: what is mounted stays",
    origin: "N",
    needs: ["state on disk"],
    async run(trial) {
      const other = await trial.reopen();
      for (let round = 0; round < 10; round += 1) {
        const active = await trial.driver.prepare("key");
        const mounting = active.mount();
        const outcome = (await outcomes([mounting, other.remove("key")])).join(" ");
        assert.match(outcome, /^(done Busy|NotFound done)$/);
        if (outcome === "done Busy") {
          const mount = await mounting;
          writeFileSync(join(mount.path, "file"), "");
          await mount.close();
          await other.remove("key");
        }
        await assertSound(trial);
      }
    },
  },
  {
    id: "gc-vs-prepare",
    title: "cleanup leaves alone what is being made at the same time",
    origin: "N",
    needs: ["state on disk"],
    async run(trial) {
      await trial.commit("base", fewFiles);
      const other = await trial.reopen();
      const made = times(20, (n) => trial.driver.prepare(`child-${n}`, "base"));
      const cleaned = times(20, () => other.cleanup());
      assert.deepEqual(new Set(await outcomes([...made, ...cleaned])), new Set(["done"]));
      for (const child of times(20, (n) => `child-${n}`)) await trial.look(child, hasFewFiles);
      await assertSound(trial, "base", ...times(20, (n) => `child-${n}`));
    },
  },
  {
    id: "two-cleanups",
    title: "two cleanups at once reclaim each thing once",
    origin: "N",
    needs: ["state on disk"],
    async run(trial) {
      const other = await trial.reopen();
      for (let n = 0; n < 20; n += 1) {
        await trial.edit(await trial.driver.prepare(`key-${n}`), fewFiles);
        await trial.driver.remove(`key-${n}`);
      }
      const reports = await Promise.all([trial.driver.cleanup(), other.cleanup()]);
      assert.equal(
        reports.reduce((sum, { removed }) => sum + removed, 0),
        20,
      );
      await assertSound(trial);
    },
  },
];
