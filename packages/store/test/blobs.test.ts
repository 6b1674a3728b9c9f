import { readdirSync, readlinkSync } from "node:fs";
import { type FileHandle, open, truncate } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Sample, sampleStore } from "./support/sample.ts";

let sample: Sample;
let blob: { digest: `sha256:${string}`; size: number };
let path: string;

beforeEach(async () => {
  sample = await sampleStore();
  const { id, configBytes } = await sample.opened.store.resolve("web:1");
  blob = { digest: id, size: configBytes.length };
  path = `${sample.opened.root}/blobs/sha256/${id.slice(7)}`;
});

afterEach(async () => {
  vi.restoreAllMocks();
  await sample[Symbol.asyncDispose]();
});

function isOpen(): boolean {
  return readdirSync("/proc/self/fd").some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false; // That of this very readdir.
    }
  });
}

async function prototypeOfFiles(): Promise<FileHandle> {
  await using file = await open("/dev/null");
  return Object.getPrototypeOf(file);
}

describe("a blob", () => {
  it("is open as long as who opened it wants", async () => {
    const file = await sample.opened.store.openBlob(blob);
    expect(isOpen()).toBe(true);
    await file.close();
    expect(isOpen()).toBe(false);
  });

  it("is closed again if it is cut off, or the disk cannot tell its size", async () => {
    const stat = vi.spyOn(await prototypeOfFiles(), "stat");
    stat.mockRejectedValueOnce(Object.assign(new Error("EIO: i/o error, fstat"), { code: "EIO" }));
    await expect(sample.opened.store.openBlob(blob)).rejects.toThrow("EIO");
    expect(isOpen()).toBe(false);
    await truncate(path, 1);
    await expect(sample.opened.store.openBlob(blob)).rejects.toMatchObject({ code: "Corrupt" });
    expect(isOpen()).toBe(false);
  });
});
