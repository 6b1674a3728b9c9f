import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { traces } from "./left-behind.ts";

/** What is the same after a long time. */
export const soak: readonly Behaviour[] = [
  {
    id: "long-soak-leaks-nothing",
    title: "after some hundred rounds of everything, no file, mount or descriptor is left",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      await trial.commit("base", (at) => writeFileSync(join(at, "base"), "base"));
      const round = async (n: number) => {
        const active = await driver.prepare("key", "base", { labels: { round: `${n}` } });
        await trial.edit(active, (at) => writeFileSync(join(at, "file"), `${n}`));
        await rejects(driver.prepare("key"), "AlreadyExists");
        await active.commit("name");
        const view = await driver.view("look", "name");
        {
          await using mount = await view.mount();
          assert.equal(readFileSync(join(mount.path, "file"), "utf8"), `${n}`);
          await rejects(driver.remove("look"), "Busy");
        }
        await driver.setLabels("name", { n: `${n}` });
        await driver.usage("name");
        await rejects(driver.remove("name"), "FailedPrecondition");
        await driver.remove("look");
        await driver.remove("name");
        if (n % 10 === 0) await driver.cleanup();
      };
      await round(0);
      const before = await traces(trial);
      for (let n = 1; n <= 200; n += 1) await round(n);
      assert.deepEqual(await traces(trial), before);
    },
  },
];
