import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Case, DriverSubject, Parameters, Scope, Subject } from "../src/workload.ts";
import { registry } from "../src/workloads/registry.ts";
import { storedImage } from "../src/workloads/store/inputs.ts";
import { contentBelow } from "./support/content-below.ts";
import { driverSubject, peerSubject, WorkloadTrial } from "./support/workload-trial.ts";

const launcher = fileURLToPath(new URL("../../packages/cli/bin/strata.js", import.meta.url));
const strata = [process.execPath, launcher];
const tree = { shape: "mixed", files: 30, bytes: 60_000, compressible: false } as const;

let scratch: Scratch;
let driver: DriverSubject;

beforeEach(async () => {
  scratch = new Scratch();
  driver = await driverSubject("vfs", scratch.path);
});

afterEach(async () => {
  await scratch[Symbol.asyncDispose]();
});

describe("the cases of registries", () => {
  const casesOf = (changes: Partial<Scope>, ...peers: readonly string[]) =>
    registry.cases({
      scale: "full",
      threads: [1],
      subjects: [driver, ...peers.map((id) => peerSubject(id, scratch.path))],
      ...changes,
    });
  const ids = ({ subjects }: Case) => subjects.map(({ id }: Subject) => id);

  it("have each peer beside what does the same work", () => {
    const all = casesOf({}, "podman", "umoci", "docker", "skopeo", "containerd", "node", "tar");
    expect(Object.fromEntries(all.map((each) => [each.title, ids(each)]))).toEqual({
      "pull an image": ["vfs", "podman", "docker", "skopeo", "containerd"],
      "pull an image, durable": ["vfs", "podman", "docker", "skopeo", "containerd"],
      "pull an unchanged image again": ["vfs", "podman", "docker", "skopeo", "containerd", "node"],
      "push an image, all as it was pulled": ["vfs", "skopeo", "containerd"],
      "push an image, peers compress it anew": ["vfs", "podman", "docker", "skopeo"],
    });
  });

  it("are no more than needed without peers, and of the archive that was asked for", () => {
    const quick = casesOf({ scale: "quick", archive: "/srv/image.tar" });
    expect(quick.map(({ parameters }) => parameters)).toEqual([
      { does: "pull", durable: true, archive: true },
      { does: "pull again", archive: true },
      { does: "push", compresses: false, archive: true },
    ]);
  });
});

describeWith("a case of registries", ["docker-registry"], () => {
  const start = async (
    parameters: Parameters,
    command: readonly string[] = strata,
    subject: Subject = driver,
  ) => {
    const datasets = scratch.join("datasets");
    const spec = { layers: [tree], compression: "none" } as const;
    const { archive } = await storedImage({ datasets, seed: 1 }, spec);
    return new WorkloadTrial(registry, subject, parameters, { command, archive, datasets });
  };

  it("pulls an image into a new store each time", async () => {
    await using run = await start({ does: "pull", durable: false });
    const { operations } = await run.open();
    const [pull] = operations;
    for (let iteration = 0; iteration < 2; iteration++) {
      await pull?.before?.();
      await pull?.run();
      // The blobs, and what is in them.
      expect(contentBelow(run.context.directory)).toBeGreaterThan(2 * tree.bytes);
      await pull?.after?.();
      expect(readdirSync(run.context.directory)).toEqual([]);
    }
    expect(pull?.work?.bytes).toBe(tree.bytes);
  });

  it.each([
    [true, "--durability commit"],
    [false, "--durability none"],
  ])("asks the command for durability: %s", async (durable, asked) => {
    const log = scratch.join("log");
    const logging = ["sh", "-c", 'echo "$@" >>"$0"; exec "$@"', log, ...strata];
    await using run = await start({ does: "pull", durable }, logging);
    await run.round(await run.open());
    expect(readFileSync(log, "utf8")).toMatch(new RegExp(`${asked} pull .*\n.* ${asked} pull `));
  });

  it("pulls an unchanged image again with one request", async () => {
    await using run = await start({ does: "pull again" });
    const trial = await run.open();
    const before = contentBelow(run.context.directory);
    await run.round(trial);
    expect(contentBelow(run.context.directory)).toBe(before);
  });

  it("fails, if it takes more", async () => {
    const twice = ["sh", "-c", '"$@" && "$@"', "sh", ...strata];
    await using run = await start({ does: "pull again" }, twice);
    const trial = await run.open();
    await expect(run.round(trial)).rejects.toThrow("with 2 requests, not with one");
  });

  it("starts node beside that, without a registry", async () => {
    await using run = await start({ does: "pull again" }, [], peerSubject("node", scratch.path));
    const { operations } = await run.open();
    expect(await operations[0]?.run()).toMatchObject({ stdout: "" });
  });

  it("pushes an image to a registry that has nothing, each time", async () => {
    await using run = await start({ does: "push", compresses: false });
    const { operations } = await run.open();
    const [push] = operations;
    for (let iteration = 0; iteration < 2; iteration++) {
      await push?.before?.();
      const empty = contentBelow(run.context.datasets);
      await push?.run();
      expect(contentBelow(run.context.datasets) - empty).toBeGreaterThan(tree.bytes);
      await push?.after?.();
    }
  });

  it("fails, if nothing was pushed", async () => {
    const butPush = ["sh", "-c", 'case " $* " in *" push "*) ;; *) exec "$@" ;; esac', "sh", ...strata];
    await using run = await start({ does: "push", compresses: false }, butPush);
    const trial = await run.open();
    await expect(run.round(trial)).rejects.toThrow("nothing was pushed");
  });

  it("leaves nothing but the data sets", async () => {
    const run = await start({ does: "push", compresses: false });
    await run.open();
    await run[Symbol.asyncDispose]();
    const made = readdirSync(run.context.datasets).filter((name) => name.startsWith("strata-"));
    expect(made).toEqual([]);
    expect(readdirSync(scratch.path)).toEqual(["datasets"]);
  });
});
