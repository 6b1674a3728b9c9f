import assert from "node:assert/strict";
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { AT_FDCWD, mknodat, S_IFSOCK } from "@strata/linux";
import type { Behaviour } from "../../behaviour.ts";
import { listChanges, readDiff } from "../../trees/diffs.ts";
import { Layers } from "../../trees/layers.ts";
import { sameTree } from "../../trees/twin.ts";
import {
  allKinds,
  changeAllKinds,
  commitPair,
  commitSettled,
  makeBase,
  makeChain,
  settled,
  unseen,
} from "./scenario.ts";

/** What changed, as a list. */
export const listed: readonly Behaviour[] = [
  {
    id: "changes-exact",
    title: "what changed is listed: every kind of change, and nothing else",
    origin: "MS",
    async run(trial) {
      await commitPair(trial, makeBase, changeAllKinds);
      assert.deepEqual(await listChanges((await trial.driver.open("top")).layout()), allKinds);
    },
  },
  {
    id: "changes-of-one-layer",
    title: "in a chain of four, what changed in each is what it changed itself, not what those below it did",
    origin: "N",
    async run(trial) {
      await makeChain(trial);
      const changed = async (id: string) => listChanges((await trial.driver.open(id)).layout());
      assert.deepEqual(await changed("second"), ["C .", "A added", "C edited", "D gone", "A passing"]);
      assert.deepEqual(await changed("third"), ["C .", "C dir", "A dir/g", "A gone", "C late", "D passing"]);
      assert.deepEqual(await changed("fourth"), ["C .", "C dir", "D dir/g", "C edited"]);
    },
  },
  {
    id: "unchanged-rewrite-not-reported",
    title: "what was opened for writing, made anew as it was, or changed and changed back is no change",
    origin: "N",
    async run(trial) {
      await commitPair(trial, makeBase, (at) => {
        const [opened, there, anew] = [`${at}/appended`, `${at}/chmodded`, `${at}/gone`] as const;
        closeSync(openSync(opened, "r+"));
        chmodSync(there, 0o600);
        chmodSync(there, 0o644);
        const again = () => {
          rmSync(anew);
          writeFileSync(anew, "gone of the base");
        };
        unseen(at, () => unseen(anew, again));
      });
      assert.deepEqual(await listChanges((await trial.driver.open("top")).layout()), []);
    },
  },
  {
    id: "changes-mounted-equals-unmounted",
    title: "changes and diff are the same while mounted, afterwards, and once committed",
    origin: "S",
    async run(trial) {
      await commitSettled(trial, "base", makeBase);
      const active = await trial.driver.prepare("top.key", "base");
      const seen: { changes: string[]; diff: Buffer }[] = [];
      const look = async () => {
        const layout = (await trial.driver.open(seen.length < 2 ? "top.key" : "top")).layout();
        seen.push({ changes: await listChanges(layout), diff: await readDiff(layout) });
      };
      await trial.edit(active, async (at) => {
        await settled(changeAllKinds, 1)(at);
        await look();
      });
      await look();
      await active.commit("top");
      await look();
      for (const { changes, diff } of seen) {
        assert.deepEqual(changes, allKinds);
        assert(diff.equals(seen[0]?.diff ?? diff), "the diff differs from the one while it was mounted");
      }
    },
  },
  {
    id: "permission-only-change",
    title: "a change of nothing but the mode is a change, of a file and of a directory",
    origin: "A",
    async run(trial) {
      const base = (at: string) => {
        mkdirSync(`${at}/d`);
        for (const name of ["d/inner", "f", "same"]) writeFileSync(`${at}/${name}`, name);
      };
      await commitPair(trial, base, (at) => {
        chmodSync(`${at}/d`, 0o2711);
        chmodSync(`${at}/f`, 0o4600);
      });
      const layout = (await trial.driver.open("top")).layout();
      assert.deepEqual(await listChanges(layout), ["C .", "C d", "C f"]);
      await using layers = new Layers(trial);
      await layers.commit("applied", await readDiff(layout), "base");
      await trial.look("top", (top) => trial.look("applied", (applied) => sameTree(top, applied)));
    },
  },
  {
    id: "sockets-ignored",
    title: "a socket is taken as not there, before and after",
    origin: "A",
    async run(trial) {
      const socket = (path: string) => mknodat(AT_FDCWD, path, S_IFSOCK | 0o755, { major: 0, minor: 0 });
      const base = (at: string) => {
        for (const name of ["stays", "goes", "becomes-file"]) socket(`${at}/${name}`);
        writeFileSync(`${at}/was-file`, "");
      };
      await commitPair(trial, base, (at) => {
        for (const name of ["goes", "becomes-file", "was-file"]) rmSync(`${at}/${name}`);
        writeFileSync(`${at}/becomes-file`, "");
        for (const name of ["was-file", "new"]) socket(`${at}/${name}`);
      });
      const layout = (await trial.driver.open("top")).layout();
      assert.deepEqual(await listChanges(layout), ["C .", "A becomes-file", "D was-file"]);
    },
  },
  {
    id: "diff-to-non-parent",
    title:
      "the trees of any two snapshots can be compared: a diff to another than the parent leads from it here",
    origin: "N",
    async run(trial) {
      await commitPair(trial, makeBase, changeAllKinds);
      const more = (at: string) => {
        writeFileSync(`${at}/gone`, "back again");
        rmSync(`${at}/nested`, { recursive: true });
      };
      await trial.commit("third", settled(more, 2), "top");
      const diff = await trial.look("base", (base) =>
        trial.look("third", (dir) => readDiff({ format: "plain", dir, base })),
      );
      await using layers = new Layers(trial);
      await layers.commit("applied", diff, "base");
      await trial.look("third", (third) => trial.look("applied", (applied) => sameTree(third, applied)));
    },
  },
];
