import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { utimesSync, writeFileSync } from "node:fs";
import { digestOf } from "@strata/core";
import type { Behaviour } from "../../behaviour.ts";
import { tar } from "../../tar/encode.ts";
import { listTar } from "../../tar/list.ts";
import { readDiff } from "../../trees/diffs.ts";
import { Layers } from "../../trees/layers.ts";
import { sameTree } from "../../trees/twin.ts";
import { fixedDiff, fixedDiffDigest, makeFixedBase, makeFixedChange } from "./fixed-change.ts";
import { changeAllKinds, commitPair, makeBase, settled } from "./scenario.ts";

/** One change has one archive, whatever driver it is made or applied with. */
export const canonical: readonly Behaviour[] = [
  {
    id: "diff-bytes-equal-across-drivers",
    title:
      "the diff of a change that is given to the last attribute has the bytes that are written down for it",
    origin: "N",
    needs: ["ownership", "xattrs"],
    async run(trial) {
      await trial.commit("base", makeFixedBase);
      await trial.commit("top", makeFixedChange, "base");
      const diff = await readDiff((await trial.driver.open("top")).layout());
      // Entries first: what differs in these is easier to see.
      assert.deepEqual(listTar(diff), listTar(tar(...fixedDiff)));
      assert.equal(digestOf(diff), fixedDiffDigest);
    },
  },
  {
    id: "diff-here-apply-there",
    title: "a diff of the driver's, applied to a plain directory, gives the tree that the driver shows",
    origin: "N",
    async run(trial) {
      await commitPair(trial, makeBase, changeAllKinds);
      const base = trial.directory("plain-base");
      const dir = trial.path("plain-top");
      await using layers = new Layers(trial);
      const diffOf = async (id: string) => await readDiff((await trial.driver.open(id)).layout());
      await layers.applyAt({ format: "plain", dir: base }, await diffOf("base"));
      await trial.look("base", (at) => sameTree(at, base));
      execFileSync("cp", ["-a", base, dir]);
      await layers.applyAt({ format: "plain", dir, base }, await diffOf("top"));
      await trial.look("top", (at) => sameTree(at, dir));
    },
  },
  {
    id: "diff-there-apply-here",
    title:
      "a diff between plain directories, applied with the driver, gives their tree and has the same bytes again",
    origin: "N",
    async run(trial) {
      const base = trial.directory("plain-base");
      const dir = trial.path("plain-top");
      await settled(makeBase, 0)(base);
      execFileSync("cp", ["-a", base, dir]);
      await settled(changeAllKinds, 1)(dir);
      await using layers = new Layers(trial);
      await layers.commit("base", await readDiff({ format: "plain", dir: base }));
      const diff = await readDiff({ format: "plain", dir, base });
      await layers.commit("top", diff, "base");
      await trial.look("top", (at) => sameTree(at, dir));
      assert((await readDiff((await trial.driver.open("top")).layout())).equals(diff), "the diff differs");
    },
  },
  {
    id: "epoch-clamped",
    title: "with clampMtime a diff has no later time, and is the same bytes whenever the change was made",
    origin: "AU",
    async run(trial) {
      const epoch = new Date("2020-02-02T00:00:00.250Z");
      const diffs: Buffer[] = [];
      for (const [name, late] of [
        ["one", "2020-02-02T00:00:00.251Z"],
        ["other", "2024-01-01T00:00:00Z"],
      ] as const) {
        await trial.commit(name, (at) => {
          for (const [file, time] of [
            ["late", late],
            ["early", "2001-01-01T00:00:00Z"],
            ["", late],
          ] as const) {
            if (file !== "") writeFileSync(`${at}/${file}`, file);
            utimesSync(`${at}/${file}`, new Date(time), new Date(time));
          }
        });
        diffs.push(await readDiff((await trial.driver.open(name)).layout(), { clampMtime: epoch }));
      }
      const [one, other] = diffs;
      assert(one && other);
      assert.deepEqual(
        listTar(one).map(({ path, mtime }) => [path, mtime]),
        [
          ["./", "1580601600.25"],
          ["early", "978307200"],
          ["late", "1580601600.25"],
        ],
      );
      assert(one.equals(other), "the bytes depend on when the change was made");
    },
  },
];
