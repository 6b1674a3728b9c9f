import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { digestOf } from "@strata/core";
import { ArrivingBytes } from "@strata/layer";
import { describe, expect, it } from "vitest";
import { type LayerOptions, useWorkers } from "./apply-layers.ts";
import { file, tar } from "./build-layer.ts";
import { useScratch } from "./layouts.ts";

const scratch = useScratch();
const workers = useWorkers();

const MiB = 2 ** 20;
const own = process.geteuid?.() === 0 ? {} : { ignoreOwnership: true };

/** Large enough to be shared by two threads, and small. */
const large = tar(
  file("first", "1"),
  file("large", randomBytes(20 * MiB).toString("latin1")),
  file("last", "2"),
);
const small = tar(file("first", "1"), file("large", "x".repeat(100_000)), file("last", "2"));

const layers: readonly (readonly [string, Buffer])[] = [
  ["large, plain", large],
  ["large, compressed", gzipSync(large, { level: 1 })],
  ["small, plain", small],
  ["small, compressed", gzipSync(small, { level: 0 })],
];

let count = 0;

/** A file that is written while it is applied. */
class Arrival {
  readonly bytes = new ArrivingBytes();
  readonly path = join(scratch.path, `arriving-${count++}`);
  readonly tree = scratch.directory(`tree-${count}`);
  readonly layer: Buffer;
  #done = 0;

  constructor(layer: Buffer) {
    this.layer = layer;
    writeFileSync(this.path, "");
  }

  apply(options: LayerOptions = {}) {
    const source = { path: this.path, length: this.layer.length, arriving: this.bytes.memory };
    return workers.apply({ source, layout: { format: "plain", dir: this.tree }, ...own, ...options });
  }

  /** Write on, up to `end`. */
  send(end: number): void {
    const piece = this.layer.subarray(this.#done, end);
    appendFileSync(this.path, piece);
    this.#done += piece.length;
    this.bytes.add(piece.length);
  }
}

describe.each(layers)("a layer that is still arriving: %s", (_, layer) => {
  it("is unpacked as its bytes come", async () => {
    const arrival = new Arrival(layer);
    const applied = arrival.apply({ expected: { blob: digestOf(layer) } });
    await setTimeout(20);
    for (const end of [1, 5, 6, 700, 90_000]) {
      arrival.send(end);
      await setTimeout(5);
    }
    await expect.poll(() => existsSync(join(arrival.tree, "first"))).toBe(true);
    expect(existsSync(join(arrival.tree, "last"))).toBe(false);
    for (let end = 100_000; end < layer.length; end += 3_000_000) {
      arrival.send(end);
      await setTimeout(1);
    }
    arrival.send(layer.length);
    arrival.bytes.finish();
    expect(await applied).toMatchObject({ blob: digestOf(layer), blobSize: layer.length, entries: 3 });
    expect(readFileSync(join(arrival.tree, "last"), "utf8")).toBe("2");
  });

  it("fails if it does not arrive, at the beginning and later", async () => {
    for (const reached of [0, 3, 50_000]) {
      const arrival = new Arrival(layer);
      arrival.send(reached);
      const applied = arrival.apply({ expected: { blob: digestOf(layer) } });
      const outcome = expect(applied).rejects.toMatchObject({ code: "Aborted" });
      await setTimeout(20);
      arrival.bytes.fail();
      await outcome;
    }
  });

  it("is Corrupt if it ends too early", async () => {
    for (const reached of [0, 50_000]) {
      const arrival = new Arrival(layer);
      arrival.send(reached);
      arrival.bytes.finish();
      await expect(arrival.apply()).rejects.toMatchObject({ code: "Corrupt" });
    }
  });

  it("can be aborted while it is waited for", async () => {
    for (const reached of [0, 3, 50_000]) {
      const arrival = new Arrival(layer);
      arrival.send(reached);
      const controller = new AbortController();
      const applied = arrival.apply({ signal: controller.signal });
      const outcome = expect(applied).rejects.toThrow("enough");
      await setTimeout(30);
      controller.abort(new RangeError("enough"));
      await outcome;
    }
  });

  it("ends at once where it cannot be written, however much is to come", async () => {
    const arrival = new Arrival(layer);
    arrival.send(50_000);
    writeFileSync(join(arrival.tree, "first"), "in the way");
    await expect(arrival.apply()).rejects.toMatchObject({ code: "FailedPrecondition" });
  });

  it("with a wrong digest is heard to its end, so that the error tells what it is", async () => {
    const arrival = new Arrival(Buffer.concat([Buffer.alloc(2048, "junk"), layer]));
    const applied = arrival.apply({ expected: { blob: digestOf(layer) } });
    const outcome = expect(applied).rejects.toMatchObject({
      code: "Corrupt",
      message: expect.stringContaining(digestOf(arrival.layer)),
    });
    arrival.send(4096);
    await setTimeout(20);
    arrival.send(arrival.layer.length);
    arrival.bytes.finish();
    await outcome;
  });
});

it("must have a length", async () => {
  const arrival = new Arrival(small);
  const source = { path: arrival.path, arriving: arrival.bytes.memory };
  const applied = workers.apply({ source, layout: { format: "plain", dir: arrival.tree }, ...own });
  await expect(applied).rejects.toThrow("length");
});
