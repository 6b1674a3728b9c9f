import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { missingFacilities, Scratch } from "@strata/conformance/suite";
import type { StorageDriver } from "@strata/core";
import { compareTrees } from "@strata/layer";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { imageLayout } from "../src/dataset/image.ts";
import type { Scope } from "../src/workload.ts";
import { type ApplyParameters, applyParameters, imageSpecOf } from "../src/workloads/apply/cases.ts";
import { apply } from "../src/workloads/apply.ts";
import { driverSubject, peerSubject, WorkloadTrial } from "./support/workload-trial.ts";

const parameters: ApplyParameters = {
  shape: "mixed",
  compressible: true,
  files: 90,
  bytes: 300_000,
  layers: 3,
  compression: "gzip",
  threads: 2,
  durable: false,
};

let scratch: Scratch;

beforeEach(() => {
  scratch = new Scratch();
});

afterEach(async () => {
  const left = readdirSync(scratch.path);
  await scratch[Symbol.asyncDispose]();
  expect(left.filter((name) => name.startsWith("strata-"))).toEqual([]);
});

/** What tar makes of the layers, one upon the other. */
async function expectedTree(run: WorkloadTrial, asked: ApplyParameters): Promise<string> {
  const { layers } = await imageLayout(run.context, imageSpecOf(asked));
  const expected = scratch.join("expected");
  mkdirSync(expected);
  for (const { path } of layers) execFileSync("tar", ["-xpf", path, "--numeric-owner", "-C", expected]);
  return expected;
}

async function differences(a: string, b: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { path, what } of compareTrees(a, b)) if (path.length > 0) found.push(`${path}: ${what}`);
  return found;
}

async function idsIn(driver: StorageDriver): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of driver.list()) ids.push(id);
  return ids.sort();
}

describe.each(["overlay2", "vfs"] as const)("applying to %s", (name) => {
  const missing = missingFacilities(name === "overlay2" ? ["root", "tar"] : ["tar"]);
  const itIfPossible = it.skipIf(missing.length > 0 && !process.env["CI"]);

  itIfPossible.each([
    { ...parameters, layers: 1, compression: "none" as const, threads: 1 },
    { ...parameters, compression: "gzip" as const },
    { ...parameters, durable: true },
  ])(
    "commits the tree of the layers, and removes it: $layers, $compression, durable: $durable",
    async (asked) => {
      await using run = new WorkloadTrial(apply, await driverSubject(name, scratch.path), asked);
      await run.setUp();
      const { operations } = await run.open();
      const [operation] = operations;
      for (let iteration = 0; iteration < 2; iteration++) {
        await operation?.before?.();
        await operation?.run();
        if (iteration === 0) {
          await using driver = await run.driver();
          const top = `layer-${asked.layers - 1}`;
          await using mount = await (await driver.view("look", top)).mount();
          expect(await differences(await expectedTree(run, asked), mount.path)).toEqual([]);
          await mount.close();
          await driver.remove("look");
        }
        await operation?.after?.();
        await using driver = await run.driver();
        expect(await idsIn(driver)).toEqual([]);
        expect((await driver.cleanup()).removed).toBe(0);
      }
      expect(operations.map((each) => each.name)).toEqual(["apply"]);
      expect(operation?.work?.bytes).toBe(300_000);
    },
  );
});

describe.each([
  { id: "tar", needs: ["tar"] },
  { id: "calibration", needs: ["cc"] },
  { id: "umoci", needs: ["umoci", "root"] },
])("$id", ({ id, needs }) => {
  const missing = missingFacilities(needs);

  it.skipIf(missing.length > 0 && !process.env["CI"])(
    "unpacks the same layers, and it is removed",
    async () => {
      await using run = new WorkloadTrial(apply, peerSubject(id, scratch.path), parameters);
      await run.setUp();
      const image = await imageLayout(run.context, imageSpecOf(parameters));
      const [operation] = (await run.open()).operations;
      const target = `${run.context.directory}/target`;
      for (let iteration = 0; iteration < 2; iteration++) {
        await operation?.before?.();
        await operation?.run();
        expect(readdirSync(target)).toHaveLength(id === "umoci" ? 1 : image.layers.length);
        // Each layer's directory stands for the layer's root. What layers have in common, umoci has once.
        const entries = readdirSync(target, { recursive: true }).length;
        if (id === "umoci") expect(entries).toBeGreaterThan(image.files / 2);
        else expect(entries).toBe(image.files);
        await operation?.after?.();
        expect(existsSync(target)).toBe(false);
      }
    },
  );
});

describe("the cases of applying", () => {
  async function scope(changes: Partial<Scope> = {}): Promise<Scope> {
    const driver = await driverSubject("vfs", scratch.path);
    const peers = ["tar", "umoci", "calibration", "podman"].map((id) => peerSubject(id, scratch.path));
    return { scale: "standard", subjects: [driver, ...peers], threads: [1, 2], ...changes };
  }

  it.each(["quick", "standard", "full"] as const)("are told apart by their titles: %s", async (scale) => {
    const cases = apply.cases(await scope({ scale }));
    expect(new Set(cases.map(({ title }) => title)).size).toBe(cases.length);
    for (const each of cases) expect(applyParameters.parse(each.parameters)).toEqual(each.parameters);
  });

  it("ask of each tool only what it does", async () => {
    for (const { parameters: asked, subjects } of apply.cases(await scope())) {
      const { layers, compression } = imageSpecOf(applyParameters.parse(asked));
      const unpacksImage = layers.length > 1 && compression !== "zstd";
      const ids = ["vfs", "tar", ...(unpacksImage ? ["umoci"] : []), "calibration"];
      expect(subjects.map(({ id }) => id)).toEqual(ids);
    }
  });

  it("are about the archive's own layers, if there is one", async () => {
    for (const scale of ["quick", "full"] as const) {
      const cases = apply.cases(await scope({ scale, archive: "/image.tar" }));
      expect(cases.length).toBeGreaterThan(1);
      for (const { parameters: asked } of cases) expect(asked).not.toHaveProperty("shape");
    }
  });
});
