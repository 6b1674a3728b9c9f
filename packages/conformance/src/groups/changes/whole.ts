import assert from "node:assert/strict";
import { type Digest, digestOf } from "@strata/core";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { tar } from "../../tar/encode.ts";
import { type BuiltEntry, dir, file, gone, link, opaque, symlink } from "../../tar/entries.ts";
import { describeTree } from "../../trees/describe-tree.ts";
import { readDiff } from "../../trees/diffs.ts";
import { rootFootprint } from "../../trees/footprint.ts";
import { Layers } from "../../trees/layers.ts";
import { sameTree } from "../../trees/twin.ts";

/** Layers that come in whole or not at all, one after the other or all at once. */
export const whole: readonly Behaviour[] = [
  {
    id: "wrong-diffid-leaves-nothing",
    title:
      "a layer that is not what was asked for is refused after its last byte, and its snapshot goes without a trace",
    origin: "N",
    async run(trial) {
      const layer = tar(dir("d"), file("d/f", "text"), file("g", "x".repeat(100_000)));
      const diffId: Digest = `sha256:${"0".repeat(64)}`;
      await using layers = new Layers(trial);
      await layers.commit("base", layer, undefined, { expected: { diffId: digestOf(layer) } });
      const before = await rootFootprint(trial);
      const active = await layers.prepare("base");
      await rejects(
        layers.apply(active, [gone("d"), file("g", "other")], { expected: { diffId } }),
        "Corrupt",
      );
      await trial.driver.remove(active.id);
      await trial.driver.cleanup();
      assert.deepEqual(await rootFootprint(trial), before);
      const seen = await trial.look("base", (at) => describeTree(at, { owners: false }));
      assert.deepEqual(seen, ["d/", 'd/f = "text"', "g = 100000 bytes"]);
    },
  },
  {
    id: "parallel-equals-sequential",
    title:
      "layers applied side by side and chained afterwards give the trees and diffs of those applied in order",
    origin: "N",
    needs: ["rebase"],
    async run(trial) {
      await using layers = new Layers(trial, 2);
      const chain = manyLayers();
      const tops = [
        await layers.chain(chain, "in order"),
        await layers.chain(chain, "side by side"),
      ] as const;
      await trial.look(tops[0], (a) => trial.look(tops[1], (b) => sameTree(a, b)));
      let [a, b]: (string | undefined)[] = [...tops];
      let depth = 0;
      for (; a !== undefined && b !== undefined; depth++) {
        const [one, other] = [await trial.driver.open(a), await trial.driver.open(b)];
        const diffs = [await readDiff(one.layout()), await readDiff(other.layout())] as const;
        assert(diffs[0].equals(diffs[1]), `the diffs of ${a} and ${b} differ`);
        [a, b] = [one.parent, other.parent];
      }
      assert.equal(depth, chain.length);
    },
  },
  {
    id: "parallel-unsupported",
    title:
      "where layers cannot be chained afterwards, trying to is Unsupported, and the layer stays as it was applied",
    origin: "N",
    needs: ["no rebase"],
    async run(trial) {
      await using layers = new Layers(trial);
      await layers.commit("base", [dir("d"), file("d/below")]);
      const active = await layers.prepare();
      await layers.apply(active, [file("f", "F")]);
      await rejects(active.commit("top", { parent: "base" }), "Unsupported");
      const seen = await trial.look(active.id, (at) => describeTree(at, { owners: false }));
      assert.deepEqual(seen, ['f = "F"']);
    },
  },
];

/** Layers that each need what is below: directories without entries, links, whiteouts of something and of nothing. */
function manyLayers(): BuiltEntry[][] {
  const base = [
    dir("d", { mode: 0o710 }),
    dir("d/sub"),
    file("d/sub/f", "F"),
    symlink("s", "d/sub"),
    file("base"),
  ];
  const next = Array.from({ length: 8 }, (_, index) => [
    file(`d/sub/n${index}`, `${index}`),
    link(`l${index}`, index % 2 === 0 ? "d/sub/f" : "s/f", { mode: 0o600 }),
    gone(index % 2 === 0 ? `d/sub/n${index - 1}` : "d/nothing"),
    dir(`o${index % 3}`),
    opaque(`o${index % 3}`),
    file(`o${index % 3}/f${index}`),
  ]);
  return [base, ...next];
}
