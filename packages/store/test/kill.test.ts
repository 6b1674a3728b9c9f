import { randomNumbers } from "@strata/conformance/suite";
import { expect, it } from "vitest";
import { StoreProcess } from "./support/child.ts";
import { operations } from "./support/operations.ts";
import { allDrivers, openStore, Scratch } from "./support/store.ts";
import { unowned } from "./support/unowned.ts";

/** Of each operation, under each driver. */
const rounds = Number(process.env["STRATA_KILLS"] ?? 2);
const seed = Number(process.env["STRATA_SEED"] ?? 20_240_203);

// Where a failpoint is, failpoints.test.ts kills: these are the moments in between.
it.each(allDrivers)(
  "a process killed at any moment leaves a good store under %s",
  async (driver) => {
    const random = randomNumbers(seed);
    await using scratch = await Scratch.make(driver);
    await using opened = await openStore(scratch.join("store"), driver);
    const { root, store } = opened;
    let killed = 0;
    for (const operation of await operations(scratch, opened)) {
      if (operation.root !== undefined) continue;
      await operation.prepare(opened);
      const rehearsal = await StoreProcess.start(root, driver, operation.call);
      const start = performance.now();
      expect(await rehearsal.end(), operation.name).toBe(0);
      const durationMs = performance.now() - start;
      for (let round = 0; round < rounds; round += 1) {
        await operation.prepare(opened);
        const child = await StoreProcess.start(root, driver, operation.call);
        const afterMs = random() * durationMs;
        await child.endAfter(afterMs);
        if (child.wasKilled) killed += 1;

        const where = `${operation.name}, killed after ${afterMs.toFixed(1)} ms (seed ${seed}, round ${round})`;
        if (!operation.damaged) expect(await store.check(), where).toEqual([]);
        await store.gc();
        expect(await unowned(opened), where).toEqual([]);
        await operation.repeat(opened);
        expect(await store.check({ quick: true }), where).toEqual([]);
        expect(await unowned(opened), where).toEqual([]);
      }
      await operation.prepare(opened);
    }
    // A kill that always comes too late would prove nothing.
    expect(killed).toBeGreaterThan(rounds);
  },
  900_000,
);
