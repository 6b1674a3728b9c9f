import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { digestOf } from "@strata/core";
import { LayerWorkers } from "@strata/layer";
import { describe, expect, it } from "vitest";
import { applyPlain, store, useWorkers } from "./apply-layers.ts";
import { dir, file, tar } from "./build-layer.ts";
import { describeTree } from "./describe-tree.ts";
import { useScratch } from "./layouts.ts";

const scratch = useScratch();
const workers = useWorkers();

const archive = tar(dir("d"), file("d/f", "text"), file("g", "x".repeat(10_000)));
const own = process.geteuid?.() === 0 ? {} : { ignoreOwnership: true };

describe("what is told of an applied layer", () => {
  it("a plain archive is its own DiffID", async () => {
    const { tree, unresolved, ...applied } = await applyPlain(workers, scratch, archive, own);
    expect(applied).toEqual({
      blob: digestOf(archive),
      blobSize: archive.length,
      diffId: digestOf(archive),
      compression: "none",
      contentBytes: 10_004,
      entries: 3,
    });
    expect(unresolved).toEqual({ parents: [], whiteouts: [], links: [], opaqueRoot: false });
    expect(readFileSync(join(tree, "d/f"), "utf8")).toBe("text");
  });

  it("a compressed one has two digests, of its bytes and of what they stand for", async () => {
    const blob = gzipSync(archive);
    const applied = await applyPlain(workers, scratch, blob, own);
    expect(applied).toMatchObject({ blob: digestOf(blob), diffId: digestOf(archive), compression: "gzip" });
  });

  it("trailing-bytes-hashed: what follows the end mark, in the archive and behind the compressed data", async () => {
    const long = Buffer.concat([archive, Buffer.alloc(1_000_000, "trailing")]);
    expect(await applyPlain(workers, scratch, long, own)).toMatchObject({
      diffId: digestOf(long),
      entries: 3,
    });
    const blob = Buffer.concat([gzipSync(long), Buffer.alloc(5_000_000)]);
    expect(await applyPlain(workers, scratch, blob, own)).toMatchObject({
      blob: digestOf(blob),
      diffId: digestOf(long),
    });
  });

  it("a source is a range of a file", async () => {
    const path = store(
      scratch,
      Buffer.concat([Buffer.alloc(700, "before"), archive, Buffer.alloc(900, "after")]),
    );
    const layout = { format: "plain", dir: scratch.directory("tree") } as const;
    const source = { path, offset: 700, length: archive.length };
    const { blob } = await workers.apply({ source, layout, ...own });
    expect(blob).toBe(digestOf(archive));
    for (const bad of [
      { offset: 700, length: 1e9 },
      { offset: 1e9 },
      { offset: -1 },
      { offset: 0, length: -1 },
    ]) {
      const layout = { format: "plain", dir: scratch.directory("bad") } as const;
      const applied = workers.apply({ source: { path, ...bad }, layout, ...own });
      await expect(applied).rejects.toMatchObject({ code: "InvalidArgument" });
    }
  });

  it("keeps the bytes as they came, at the same time", async () => {
    const blob = gzipSync(Buffer.concat([tar(file("big", "x".repeat(3_000_000))), Buffer.alloc(100)]));
    const keepAs = join(scratch.path, "kept");
    await applyPlain(workers, scratch, blob, { ...own, keepAs });
    expect(readFileSync(keepAs).equals(blob)).toBe(true);
    expect(statSync(keepAs).mode & 0o777).toBe(0o600);
    const again = applyPlain(workers, scratch, blob, { ...own, keepAs });
    await expect(again).rejects.toMatchObject({ code: "AlreadyExists" });
  });
});

describe("jobs", () => {
  const content = randomBytes(1_000_000).toString("latin1");
  const large = (pack = (bytes: Buffer) => bytes) => {
    const path = join(scratch.path, "large.tar");
    const entries = Array.from({ length: 64 }, (_, index) => file(`f${index}`, content));
    writeFileSync(path, pack(tar(...entries)));
    return { path };
  };
  const layout = () => ({ format: "plain", dir: scratch.directory(`tree-${Math.random()}`) }) as const;

  it("wait for a free thread, and all are done", async () => {
    const single = new LayerWorkers({ threads: 1 });
    const path = store(scratch, archive);
    const all = Array.from({ length: 20 }, () =>
      single.apply({ source: { path }, layout: layout(), ...own }),
    );
    expect((await Promise.all(all)).every(({ entries }) => entries === 3)).toBe(true);
    await single.close();
  });

  it("progress tells the bytes read, growing", async () => {
    const source = large();
    const seen: number[] = [];
    await workers.apply({ source, layout: layout(), onProgress: (bytes) => seen.push(bytes), ...own });
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1) ?? 0).toBeLessThanOrEqual(statSync(source.path).size);
  });

  it.each([
    ["plain", undefined],
    ["gzip", (bytes: Buffer) => gzipSync(bytes, { level: 1 })],
  ])("abort-in-mid-apply, %s: rejects with the reason, and nothing is written any more", async (_, pack) => {
    const controller = new AbortController();
    const tree = layout();
    const source = large(pack);
    const applied = workers.apply({
      source,
      layout: tree,
      signal: controller.signal,
      onProgress: () => controller.abort(new RangeError("enough")),
      ...own,
    });
    // On a very fast machine there is no progress to tell before the end.
    setTimeout(() => controller.abort(new RangeError("enough")), 20);
    await expect(applied).rejects.toThrow("enough");
    const left = describeTree(tree.dir);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(describeTree(tree.dir)).toEqual(left);
  });

  it("aborted before it began, a job does nothing, and later ones go on", async () => {
    const single = new LayerWorkers({ threads: 1 });
    const path = store(scratch, archive);
    const first = single.apply({ source: { path }, layout: layout(), ...own });
    const controller = new AbortController();
    const tree = layout();
    const second = single.apply({ source: { path }, layout: tree, signal: controller.signal, ...own });
    const third = single.apply({ source: { path }, layout: layout(), ...own });
    controller.abort(new RangeError("never mind"));
    await expect(second).rejects.toThrow("never mind");
    expect(describeTree(tree.dir)).toEqual([]);
    expect((await Promise.all([first, third])).map(({ entries }) => entries)).toEqual([3, 3]);
    const late = single.apply({ source: { path }, layout: layout(), signal: controller.signal, ...own });
    await expect(late).rejects.toThrow("never mind");
    await single.close();
  });

  it("an error keeps its code, its message and the system's reason across the thread", async () => {
    const missing = workers.apply({ source: { path: "/no/such/layer" }, layout: layout() });
    await expect(missing).rejects.toMatchObject({
      code: "NotFound",
      message: expect.stringContaining("/no/such/layer"),
      cause: expect.objectContaining({ code: "ENOENT", syscall: "open" }),
    });
  });

  it("close fails what is not done, waits for the threads, and can be repeated", async () => {
    const closing = new LayerWorkers({ threads: 1 });
    const source = large();
    const running = closing.apply({ source, layout: layout(), ...own });
    const waiting = closing.apply({ source, layout: layout(), ...own });
    const outcomes = Promise.allSettled([running, waiting]);
    await closing.close();
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: "Aborted" } });
    await closing.close();
    await expect(closing.apply({ source, layout: layout() })).rejects.toMatchObject({ code: "Aborted" });
  });

  it("threads that have nothing to do do not keep the process alive", () => {
    const path = store(scratch, archive);
    const program = `
      import { mkdtempSync } from "node:fs";
      import { LayerWorkers } from "@strata/layer";
      const layout = { format: "plain", dir: mkdtempSync(process.argv[1] + "/left-") };
      const source = { path: ${JSON.stringify(path)} };
      await new LayerWorkers().apply({ source, layout, ignoreOwnership: true });
      console.log("applied");`;
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", program, scratch.path], {
      cwd: import.meta.dirname,
      timeout: 20_000,
    });
    expect(output.toString()).toBe("applied\n");
  });

  it("refuses a pool of no threads", () => {
    expect(() => new LayerWorkers({ threads: 0 })).toThrow(TypeError);
  });
});
