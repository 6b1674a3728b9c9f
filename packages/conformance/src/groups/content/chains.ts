import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import type { Trial } from "../../trial.ts";

/** Beyond, a chain is long enough to be believed. */
const longEnough = 1000;

/** Commit layers `1` to `depth` on top of one another; each writes its number to `newest` and makes what `edit` does. */
async function chain(
  trial: Trial,
  depth: number,
  edit: (at: string, n: number) => void = () => {},
): Promise<void> {
  for (let n = 1; n <= depth; n++) {
    await trial.commit(`${n}`, (at) => edit(at, n), n === 1 ? undefined : `${n - 1}`);
  }
}

/** Many layers on top of one another. */
export const chains: readonly Behaviour[] = [
  {
    id: "128-layers",
    title: "128 layers, each with a change of its own, are one tree, and every one of them stays what it was",
    origin: "MSC",
    async run(trial) {
      await chain(trial, 128, (at, n) => {
        writeFileSync(`${at}/newest`, `${n}`);
        writeFileSync(`${at}/of-${n}`, `${n}`);
        mkdirSync(`${at}/dir/of-${n}`, { recursive: true });
        if (n % 4 === 0) rmSync(`${at}/of-${n - 2}`);
      });
      for (const depth of [1, 2, 64, 127, 128]) {
        await trial.look(`${depth}`, (at) => {
          assert.equal(readFileSync(`${at}/newest`, "utf8"), `${depth}`);
          assert.equal(readdirSync(`${at}/dir`).length, depth);
          for (let n = 1; n <= 128; n++) {
            const deleted = n % 4 === 2 && depth >= n + 2;
            const expected = n <= depth && !deleted ? [`of-${n}`] : [];
            assert.deepEqual(
              readdirSync(at).filter((name) => name === `of-${n}`),
              expected,
            );
          }
        });
      }
    },
  },
  {
    id: "500-layers-then-DepthExceeded",
    title: "a chain may be as long as the driver says, and one more is refused with DepthExceeded",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      const { maxDepth } = driver.capabilities;
      assert(maxDepth >= 128, `an image can have 127 layers and a container on top of it, not ${maxDepth}`);
      const depth = Math.min(maxDepth, longEnough);
      // Most layers are empty: to mount each would cost more than all the rest.
      for (let n = 1; n < depth; n++) {
        const active = await driver.prepare("key", n === 1 ? undefined : `${n - 1}`);
        if (n % 100 === 1) await trial.edit(active, (at) => writeFileSync(`${at}/of-${n}`, `${n}`));
        await active.commit(`${n}`);
      }
      const top = await driver.prepare("top", `${depth - 1}`);
      await trial.edit(top, (at) => {
        for (let n = 1; n < depth; n += 100) assert.equal(readFileSync(`${at}/of-${n}`, "utf8"), `${n}`);
        writeFileSync(`${at}/of-1`, "changed");
        rmSync(`${at}/of-101`);
      });
      await top.commit(`${depth}`);
      if (maxDepth > longEnough) return;
      await rejects(driver.prepare("beyond", `${depth}`), "DepthExceeded");
      await rejects(driver.stat("beyond"), "NotFound");
    },
  },
];
