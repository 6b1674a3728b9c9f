import { chmodSync, lstatSync, readdirSync, unlinkSync } from "node:fs";
import { missingFacilities, type Participant, randomOperations } from "@strata/conformance/suite";
import type { LayerLayout } from "@strata/core";
import { overlay2 } from "@strata/driver-overlay2";
import { vfs } from "@strata/driver-vfs";
import { describe, expect, it } from "vitest";
import { plant } from "./faulty-driver.ts";

const isRoot = missingFacilities(["root"]).length === 0;
if (!isRoot) console.log("skipped: planted faults, which need root");

describe.skipIf(!isRoot && !process.env["CI"])(
  "a planted fault is found, and told in a few steps",
  {
    timeout: 600_000,
  },
  () => {
    it("a whiteout that gets lost", async () => {
      const lost = (layer: Buffer) => {
        const whiteout = filesBelow(layer).find((path) => lstatSync(path).isCharacterDevice());
        if (whiteout !== undefined && lstatSync(whiteout).rdev === 0) unlinkSync(whiteout);
      };
      const { message, steps } = await failure(plant({ afterClose: lost }, "overlay2", overlay2));
      expect(message).toMatch(/the changes of \w differ/);
      expect(steps.length).toBeLessThanOrEqual(5);
      expect(steps.at(-1)).toMatch(/^in \w: (remove|rename) /);
    });

    it("a touched path that is not named", async () => {
      const forgets = (layout: LayerLayout): LayerLayout => {
        if (layout.format !== "plain" || layout.touched === undefined) return layout;
        const { touched, ...rest } = layout;
        return {
          ...rest,
          async *touched() {
            let first = true;
            for await (const path of touched()) {
              if (!first) yield path;
              first = false;
            }
          },
        };
      };
      const { message, steps } = await failure(plant({ layout: forgets }, "vfs", vfs));
      expect(message).toMatch(/the changes of \w differ/);
      expect(steps.length).toBeLessThanOrEqual(6);
    });

    it("a setuid bit that a commit loses", async () => {
      const drops = (layer: Buffer) => {
        for (const path of filesBelow(layer)) {
          const { mode } = lstatSync(path);
          if ((mode & 0o4000) !== 0) chmodSync(path, mode & 0o3777);
        }
      };
      const participant = plant({ beforeCommit: drops }, "overlay2", overlay2);
      const { message, steps, path } = await failure(participant);
      expect(message).toMatch(/the tree of \w differs/);
      expect(steps.length).toBeLessThanOrEqual(5);
      expect(steps.at(-1)).toMatch(/^commit /);
      expect((await failure(participant, path)).steps, "when its path is followed").toEqual(steps);
    });
  },
);

async function failure(participant: Participant, path?: string) {
  const options = { runs: 100, seed: 1, ...(path !== undefined && { path }) };
  const { failure: found } = await randomOperations([participant], options);
  if (found === undefined) throw new Error("the fault was not found");
  return found;
}

function filesBelow(directory: Buffer): Buffer[] {
  return readdirSync(directory, { encoding: "buffer" }).flatMap((name) => {
    const path = Buffer.concat([directory, Buffer.from("/"), name]);
    return lstatSync(path).isDirectory() ? [path, ...filesBelow(path)] : [path];
  });
}
