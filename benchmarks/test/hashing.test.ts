import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { missingFacilities, Scratch } from "@strata/conformance/suite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Subject } from "../src/workload.ts";
import { hashing } from "../src/workloads/hashing.ts";
import { driverSubject, peerSubject, WorkloadTrial } from "./support/workload-trial.ts";

let scratch: Scratch;

beforeEach(() => {
  scratch = new Scratch();
});

afterEach(async () => {
  await scratch[Symbol.asyncDispose]();
});

const bytes = 300_000;
const missing = missingFacilities(["sha256sum", "openssl", "gzip"]);

describe.skipIf(missing.length > 0 && !process.env["CI"])("hashing", () => {
  const subject = async (id: string): Promise<Subject> =>
    id === "vfs" ? await driverSubject("vfs", scratch.path) : peerSubject(id, scratch.path);

  it.each([
    ["vfs", "blob"],
    ["sha256sum", "blob"],
    ["vfs", "diffId"],
    ["sha256sum", "diffId"],
  ])("by %s is of the %s itself: another digest is an error", async (id, source) => {
    await using run = new WorkloadTrial(hashing, await subject(id), { source, threads: 1, bytes });
    await run.setUp();
    const [operation] = (await run.open()).operations;
    await operation?.run();
    const archive = source === "blob" ? ".tar" : ".tar.gz";
    const [name = ""] = readdirSync(run.context.datasets).filter((each) => each.endsWith(archive));
    writeFileSync(
      join(run.context.datasets, name),
      source === "blob" ? "something else" : gzipSync("something else"),
    );
    await expect(async () => await operation?.run()).rejects.toThrow("hashed to");
  });

  it("in memory takes as many bytes as it says, in each program", async () => {
    const parameters = { source: "memory", threads: 1, bytes: 2 ** 20 };
    await using ours = new WorkloadTrial(hashing, await subject("vfs"), parameters);
    await using theirs = new WorkloadTrial(hashing, await subject("openssl"), parameters);
    const [hash] = (await ours.open()).operations;
    const [speed] = (await theirs.open()).operations;
    await hash?.run();
    expect(await speed?.run()).toEqual({ overriddenDuration: expect.any(Number) });
    expect(hash?.work).toEqual({ bytes: 2 ** 20 });
    expect(speed?.work).toEqual(hash?.work);
  });

  it("is measured once, whichever drivers there are, beside the program that does the same", async () => {
    const subjects = await Promise.all(["vfs", "vfs", "tar", "openssl", "sha256sum"].map(subject));
    const cases = hashing.cases({ scale: "quick", subjects, threads: [1, 2] });
    expect(cases.map(({ parameters, threads }) => [parameters["source"], threads])).toEqual([
      ["memory", 1],
      ["blob", 1],
      ["diffId", 1],
      ["memory", 2],
      ["blob", 2],
      ["diffId", 2],
    ]);
    const ids = cases.map((each) => each.subjects.map(({ id }) => id));
    expect(ids.slice(0, 3)).toEqual([
      ["vfs", "openssl"],
      ["vfs", "sha256sum"],
      ["vfs", "sha256sum"],
    ]);
  });
});
