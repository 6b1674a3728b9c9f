import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Digest, digestOf } from "@strata/core";
import { describe, expect, it } from "vitest";
import { applyPlain, differences, type LayerOptions, store, useWorkers } from "./apply-layers.ts";
import { dir, file, tar } from "./build-layer.ts";
import { useScratch } from "./layouts.ts";

/*
 * A layer as large as these is read by one thread and written by another. Text that repeats itself is large in an
 * archive and small when compressed: one archive so goes both ways.
 */

const scratch = useScratch();
const workers = useWorkers();

const MiB = 2 ** 20;
const own = process.geteuid?.() === 0 ? {} : { ignoreOwnership: true };
const otherDigest: Digest = `sha256:${"0".repeat(64)}`;
const text = "all work and no play makes a dull layer\n".repeat(30_000);

const archive = tar(
  dir("d"),
  ...Array.from({ length: 600 }, (_, index) => file(`d/small${index}`, `${index}`.repeat(index % 700))),
  ...Array.from({ length: 14 }, (_, index) => file(`large${index}`, `${index} ${text}`)),
  file("hole", "\0".repeat(3 * MiB)),
  file("end"),
);
const stored = gzipSync(archive, { level: 0 });
const small = gzipSync(archive);

const apply = (layer: Buffer, options: LayerOptions = {}) =>
  applyPlain(workers, scratch, layer, { ...own, ...options });

function flipped(layer: Buffer, at: number): Buffer {
  const copy = Buffer.from(layer);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

it("gives what one thread gives, plain and compressed", async () => {
  const expected = { diffId: digestOf(archive) };
  const {
    tree: reference,
    blob: _,
    blobSize: __,
    compression: ___,
    ...facts
  } = await apply(small, { expected });
  for (const layer of [archive, stored]) {
    const keepAs = join(scratch.path, `kept-${layer.length}`);
    const { tree, ...applied } = await apply(layer, { expected, keepAs });
    expect(applied).toMatchObject({ ...facts, blob: digestOf(layer), blobSize: layer.length });
    expect(await differences(reference, tree)).toEqual([]);
    expect(readFileSync(keepAs).equals(layer)).toBe(true);
  }
});

it("hashes what follows the end mark, in the archive and behind the compressed data", async () => {
  const long = Buffer.concat([archive, Buffer.alloc(10 * MiB, "trailing")]);
  const blob = Buffer.concat([gzipSync(long, { level: 0 }), Buffer.alloc(MiB)]);
  expect(await apply(long)).toMatchObject({ blob: digestOf(long), diffId: digestOf(long) });
  expect(await apply(blob)).toMatchObject({ blob: digestOf(blob), diffId: digestOf(long) });
});

describe("what is damaged", () => {
  const middle = Math.floor(stored.length / 2);
  const trailer = flipped(stored, stored.length - 6);
  const cut = stored.subarray(0, middle);
  // Behind the first of the large files, which is the first thing of more than a mebibyte.
  const header = flipped(archive, archive.indexOf("large9"));

  it.each([
    ["content", flipped(stored, middle)],
    ["checksum", trailer],
    ["cut off", cut],
  ])("gzip data are Corrupt: %s", async (_, layer) => {
    await expect(apply(layer)).rejects.toMatchObject({
      code: "Corrupt",
      message: expect.stringContaining("gzip data are damaged"),
    });
  });

  it.each([
    ["plain", header],
    ["compressed", gzipSync(header, { level: 0 })],
  ])("an archive is an InvalidArgument: %s", async (_, layer) => {
    await expect(apply(layer)).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining("checksum"),
    });
  });

  it.each([
    ["content", flipped(stored, middle)],
    ["checksum", trailer],
    ["cut off", cut],
    ["archive", header],
    ["compressed archive", gzipSync(header, { level: 0 })],
    ["nothing", stored],
  ])("a wrong digest comes first, and is that of the whole: %s", async (_, layer) => {
    await expect(apply(layer, { expected: { blob: otherDigest } })).rejects.toMatchObject({
      code: "Corrupt",
      message: expect.stringContaining(digestOf(layer)),
    });
  });

  it("a wrong DiffID, a wrong size", async () => {
    await expect(apply(stored, { expected: { diffId: otherDigest } })).rejects.toMatchObject({
      code: "Corrupt",
      message: expect.stringContaining(digestOf(archive)),
    });
    await expect(apply(stored, { expected: { blobSize: stored.length + 1 } })).rejects.toMatchObject({
      code: "Corrupt",
      message: expect.stringContaining(`${stored.length} bytes`),
    });
  });
});

it.each([
  ["maxBytes", 10 * MiB],
  ["maxEntries", 500],
] as const)("%s holds", async (name, limit) => {
  for (const layer of [archive, stored]) {
    await expect(apply(layer, { limits: { [name]: limit } })).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining(`(${name})`),
    });
  }
});

it("what cannot be opened is told as ever", async () => {
  const layout = () => ({ format: "plain", dir: scratch.directory(`tree-${Math.random()}`) }) as const;
  const length = 32 * MiB;
  const missing = workers.apply({ source: { path: "/no/such/layer", length }, layout: layout(), ...own });
  await expect(missing).rejects.toMatchObject({
    code: "NotFound",
    cause: expect.objectContaining({ code: "ENOENT", syscall: "open" }),
  });
  const path = store(scratch, stored);
  const short = workers.apply({ source: { path, length: 2 * stored.length }, layout: layout(), ...own });
  await expect(short).rejects.toMatchObject({ code: "InvalidArgument" });
  const used = layout();
  writeFileSync(join(used.dir, "file"), "");
  const late = workers.apply({ source: { path }, layout: used, ...own });
  await expect(late).rejects.toMatchObject({ code: "FailedPrecondition" });
  await expect(apply(stored, { keepAs: path })).rejects.toMatchObject({ code: "AlreadyExists" });
});

it("aborted, nothing of the blob is kept any more either", async () => {
  const blob = gzipSync(tar(file("f", randomBytes(64 * MiB).toString("latin1"))), { level: 1 });
  const keepAs = join(scratch.path, "kept-in-part");
  const controller = new AbortController();
  const onProgress = () => controller.abort(new RangeError("enough"));
  const applied = apply(blob, { keepAs, signal: controller.signal, onProgress });
  await expect(applied).rejects.toThrow("enough");
  const { size } = statSync(keepAs);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(statSync(keepAs).size).toBe(size);
});

describe.runIf(availableParallelism() > 1)("a thread that dies in the midst", () => {
  const program = (path: string, thread: number) => `
    import { syncBuiltinESMExports } from "node:module";
    import { mkdtempSync } from "node:fs";
    import threads from "node:worker_threads";
    const started = [];
    threads.Worker = class extends threads.Worker {
      constructor(...options) {
        super(...options);
        started.push(this);
      }
    };
    syncBuiltinESMExports();
    const { LayerWorkers } = await import("@strata/layer");
    const workers = new LayerWorkers();
    const apply = (onProgress) => {
      const layout = { format: "plain", dir: mkdtempSync(process.argv[1] + "/killed-") };
      return workers.apply({ source: { path: ${JSON.stringify(path)} }, layout, ignoreOwnership: true, onProgress });
    };
    const error = await apply(() => started[${thread}].terminate()).catch((error) => error);
    const { entries } = await apply();
    await workers.close();
    console.log(started.length, error.code, error.message, entries);`;

  it.each([0, 1])("fails the layer, and not the next one: thread %i", (thread) => {
    const path = store(scratch, tar(file("f", randomBytes(96 * MiB).toString("latin1"))));
    const output = execFileSync(
      process.execPath,
      ["--input-type=module", "--eval", program(path, thread), scratch.path],
      { cwd: import.meta.dirname, timeout: 60_000 },
    );
    expect(output.toString()).toMatch(
      /^3 Aborted the thread that applied the layer ended \(exit code 1\); .* 1\n$/,
    );
  });
});
