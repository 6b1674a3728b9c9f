import { randomInt } from "node:crypto";
import { describeFailure, missingFacilities, randomOperations } from "@strata/conformance/suite";
import { describe, expect, it } from "vitest";
import { Drivers } from "./drivers.ts";

/*
 * `npm run test:soak` sets these: for how long, from which seed on, and, to repeat one failure, its path.
 */
const { STRATA_SOAK_MINUTES: minutes, STRATA_SOAK_SEED: soakSeed, STRATA_SOAK_PATH: path } = process.env;

const durationMs = Number(minutes ?? 0) * 60_000;
const maxSeed = 2 ** 31 - 1;
const isRoot = missingFacilities(["root"]).length === 0;
if (!isRoot) console.log("skipped: drivers side by side, which need root");

describe.skipIf(!isRoot && !process.env["CI"])("drivers side by side", () => {
  it("are what one model says after each of many random operations, and their diffs are the same bytes", {
    timeout: durationMs + 600_000,
  }, async () => {
    await using drivers = await Drivers.open();
    const names = drivers.participants.map(({ name }) => name).join(", ");
    const total = { lists: 0, operations: 0, refused: 0, diffsCompared: 0, diffsApart: 0 };
    const until = Date.now() + durationMs;
    // Without a seed, a short run always is the same, and a long one never.
    let seed = soakSeed === undefined ? (minutes === undefined ? 1 : randomInt(maxSeed)) : Number(soakSeed);
    do {
      const options = { seed, runs: 30, ...(path !== undefined && { path }) };
      const { failure, runs, steps, ...compared } = await randomOperations(drivers.participants, options);
      total.lists += runs;
      total.operations += steps;
      total.refused += compared.refused;
      total.diffsCompared += compared.diffsCompared;
      total.diffsApart += compared.diffsApart;
      if (failure !== undefined) {
        console.log(`random operations on ${names}: ${JSON.stringify(total)}`);
        const repeat = `npm run test:soak -- --seed ${seed} --path ${failure.path}`;
        throw new Error(describeFailure(failure, repeat), { cause: failure.cause });
      }
      seed = (seed + 1) % maxSeed;
    } while (Date.now() < until);
    console.log(`random operations on ${names}: ${JSON.stringify(total)}, no failure`);
    if (path !== undefined) return;
    expect(total.operations).toBeGreaterThan(1000);
    expect(total.diffsCompared).toBeGreaterThan(total.diffsApart);
  });
});
