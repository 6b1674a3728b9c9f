import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";

/** Beyond, a chain is long enough to be believed. */
const longEnough = 1000;

/** How many layers later a file is deleted: drivers that copy have little to copy then. */
const lifetime = 8;

/** Many layers on top of one another. */
export const chains: readonly Behaviour[] = [
  {
    id: "128-layers",
    title: "128 layers, each with a change of its own, are one tree, and every one of them stays what it was",
    origin: "MSC",
    async run(trial) {
      for (let n = 1; n <= 128; n++) {
        const edit = (at: string) => {
          writeFileSync(`${at}/newest`, `${n}`);
          writeFileSync(`${at}/of-${n}`, `${n}`);
          rmSync(`${at}/of-${n - lifetime}`, { force: true });
        };
        await trial.commit(`${n}`, edit, n === 1 ? undefined : `${n - 1}`);
      }
      for (const depth of [1, 2, 64, 127, 128]) {
        const alive = Array.from({ length: Math.min(depth, lifetime) }, (_, n) => `of-${depth - n}`);
        await trial.look(`${depth}`, (at) => {
          assert.equal(readFileSync(`${at}/newest`, "utf8"), `${depth}`);
          assert.deepEqual(readdirSync(at).sort(), ["newest", ...alive].sort());
          for (const name of alive) assert.equal(`of-${readFileSync(`${at}/${name}`, "utf8")}`, name);
        });
      }
    },
  },
  {
    id: "500-layers-then-DepthExceeded",
    title:
      "a chain may be as long as the driver says; one more is refused with DepthExceeded by prepare, view and commit",
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
      await rejects(driver.view("beyond", `${depth}`), "DepthExceeded");
      await rejects(driver.stat("beyond"), "NotFound");
      // As long as may be, for a view as well.
      await driver.view("view", `${depth - 1}`);
      await trial.look("view", (at) => assert.equal(readFileSync(`${at}/of-1`, "utf8"), "1"));
      if (!driver.capabilities.rebase.supported) return;
      const late = await driver.prepare("late");
      await rejects(late.commit("beyond", { parent: `${depth}` }), "DepthExceeded");
      await late.commit("another", { parent: `${depth - 1}` });
    },
  },
];
