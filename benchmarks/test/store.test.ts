import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { missingFacilities, Scratch } from "@strata/conformance/suite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPeers } from "../src/subjects/peers.ts";
import type { Case, DriverSubject, Scope, Subject, Trial } from "../src/workload.ts";
import { storedImage } from "../src/workloads/store/inputs.ts";
import { store } from "../src/workloads/store.ts";
import { contentBelow } from "./support/content-below.ts";
import { driverSubject, peerSubject, WorkloadTrial } from "./support/workload-trial.ts";

const strata = fileURLToPath(new URL("../../packages/cli/bin/strata.js", import.meta.url));
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

describe("the cases of stores", () => {
  const casesOf = (changes: Partial<Scope>, ...peers: readonly string[]) =>
    store.cases({
      scale: "full",
      threads: [1],
      subjects: [driver, ...peers.map((id) => peerSubject(id, scratch.path))],
      ...changes,
    });
  const ids = ({ subjects }: Case) => subjects.map(({ id }: Subject) => id);

  it("have each peer where it can do what the others do", () => {
    const all = casesOf({}, "podman", "umoci", "docker", "skopeo", "node", "tar");
    const takingPart = Object.fromEntries(all.map((each) => [each.title, ids(each)]));
    expect(takingPart).toMatchObject({
      "load an archive with plain layers": ["vfs", "podman", "docker", "skopeo"],
      "load gzip layers": ["vfs", "podman", "umoci", "docker", "skopeo"],
      "load gzip layers, durable": ["vfs", "podman", "umoci", "docker", "skopeo"],
      "save an image": ["vfs", "podman", "docker", "skopeo"],
      "list 200 images": ["vfs", "podman", "docker", "node"],
      "remove an image": ["vfs", "podman", "docker", "skopeo"],
      "maintain a store with one image": ["vfs"],
    });
  });

  it("are of the archive that was asked for, and say so", () => {
    const [first] = casesOf({ archive: "/srv/image.tar" });
    expect(first?.parameters).toMatchObject({ archive: true });
    expect(first?.parameters).not.toHaveProperty("files");
  });
});

describe("a case of stores", () => {
  const start = async (
    parameters: Record<string, string | number | boolean>,
    subject: Subject = driver,
    command: readonly string[] = [process.execPath, strata],
  ) =>
    new WorkloadTrial(store, subject, parameters, {
      command,
      archive: await smallArchive(),
      datasets: scratch.join("datasets"),
    });

  it.each(["none", "gzip"])("loads an image with layers of compression %s into a new store", async (kind) => {
    await using run = await start({ does: "load", compression: kind, durable: false });
    const [load] = operations(await run.open());
    for (let iteration = 0; iteration < 2; iteration++) {
      await load?.before?.();
      const empty = contentBelow(run.context.directory);
      await load?.run();
      // The blobs, and at least once what is in them.
      expect(contentBelow(run.context.directory) - empty).toBeGreaterThan(1.5 * tree.bytes);
      await load?.after?.();
      expect(readdirSync(run.context.directory)).toEqual([]);
    }
    expect(load?.work?.bytes).toBe(tree.bytes);
  });

  it.each([
    [true, "--durability commit"],
    [false, "--durability none"],
  ])("asks the command for durability: %s", async (durable, asked) => {
    const log = scratch.join("log");
    const logging = ["sh", "-c", 'echo "$@" >>"$0"; exec "$@"', log, process.execPath, strata];
    await using run = await start({ does: "load", compression: "none", durable }, driver, logging);
    await run.round(await run.open());
    expect(readFileSync(log, "utf8")).toMatch(new RegExp(`${asked} load .*\n.* ${asked} load `));
  });

  it("saves an image, and forgets what it wrote", async () => {
    await using run = await start({ does: "save" });
    const [save] = operations(await run.open());
    await save?.run();
    expect(statSync(`${run.context.directory}/saved.tar`).size).toBeGreaterThan(tree.bytes);
    await save?.after?.();
    expect(readdirSync(run.context.directory)).toHaveLength(1);
  });

  it("lists as many images as it says", async () => {
    await using run = await start({ does: "list", images: 7 });
    const [images] = operations(await run.open());
    const listed = await images?.run();
    expect(listed).toMatchObject({
      stdout: expect.stringMatching(/^REPOSITORY.*\n(?:\S+\/image-\d .*\n){7}$/),
    });
  });

  it("starts node beside that", async () => {
    await using run = await start({ does: "list", images: 7 }, peerSubject("node", scratch.path));
    const [images] = operations(await run.open());
    expect(await images?.run()).toMatchObject({ stdout: "" });
  });

  it("removes an image", async () => {
    await using run = await start({ does: "remove" });
    const [remove] = operations(await run.open());
    await remove?.before?.();
    const before = contentBelow(run.context.directory);
    await remove?.run();
    expect(before - contentBelow(run.context.directory)).toBeGreaterThan(2 * tree.bytes);
    await remove?.after?.();
    expect(readdirSync(run.context.directory)).toEqual([]);
  });

  it("checks what is really there, and gives back what nothing owns", async () => {
    await using run = await start({ does: "maintain" });
    const trial = await run.open();
    await run.round(trial);
    const [check, quickCheck, gc] = operations(trial);
    const [name = ""] = readdirSync(run.context.directory);
    const root = `${run.context.directory}/${name}/root`;
    const stray = `${root}/blobs/sha256/${"0".repeat(64)}`;
    writeFileSync(stray, "of nobody");
    await gc?.run();
    expect(readdirSync(`${root}/blobs/sha256`)).not.toContain("0".repeat(64));
    for (const blob of readdirSync(`${root}/blobs/sha256`)) truncateSync(`${root}/blobs/sha256/${blob}`, 1);
    await expect(check?.run()).rejects.toThrow("ended with 1");
    await expect(quickCheck?.run()).rejects.toThrow("ended with 1");
  });

  it("runs the command with the driver's own module, where that is none of Strata's", async () => {
    const original = pathToFileURL(createRequire(import.meta.url).resolve("@strata/driver-vfs")).href;
    const module = scratch.join("mine.js");
    writeFileSync(module, `export { vfs as mine } from ${JSON.stringify(original)};\n`);
    const mine = { ...driver, driver: "mine", module: { url: pathToFileURL(module).href, factory: "mine" } };
    await using run = await start({ does: "save" }, mine);
    await run.open();
    const [name = ""] = readdirSync(run.context.directory);
    expect(readdirSync(`${run.context.directory}/${name}/root/drivers`)).toEqual(["mine"]);
  });

  const missing = missingFacilities(["root", "podman"]);
  const title = "does the same by a peer";
  it.skipIf(missing.length > 0 && !process.env["CI"])(
    missing.length === 0 ? title : `${title} (missing here: ${missing.join(", ")})`,
    async () => {
      const podman = peerSubject("podman", scratch.path);
      for (const does of ["load", "save", "remove"]) {
        await using run = await start({ does, compression: "gzip", durable: true }, podman);
        await run.round(await run.open());
      }
    },
  );

  async function smallArchive(): Promise<string> {
    const context = { datasets: scratch.join("datasets"), seed: 1 };
    return (await storedImage(context, { layers: [tree], compression: "none" })).archive;
  }
});

describe("the host's tools", () => {
  it("are found with their versions, or missing for a reason; node always is there", async () => {
    const { subjects, missing } = await findPeers({ directory: scratch.path, loop: false });
    expect(subjects.find(({ id }) => id === "node")?.version).toBe(process.versions.node);
    for (const { id, version } of subjects) expect(version, id).toMatch(/^\d+\.\d/);
    const reasons = missing.map(({ reason }) => reason);
    for (const reason of reasons) expect(reason).toMatch(/is not installed$|^needs root$/);
  });
});

function operations(trial: Trial): Trial["operations"] {
  return trial.operations;
}
