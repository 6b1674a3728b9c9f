import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fsyncPath, writeFileAtomic } from "@strata/core";
import { expect, test } from "vitest";
import { scratch } from "./scratch.ts";

test.each([true, false])(
  "replaces the whole content and leaves nothing else (durable: %s)",
  async (durable) => {
    const directory = scratch();
    const path = join(directory, "index.json");
    await writeFileAtomic(path, "a long first version", { durable });
    const before = statSync(path).ino;
    await writeFileAtomic(path, new TextEncoder().encode("second"), { durable, mode: 0o644 });
    expect(readFileSync(path, "utf8")).toBe("second");
    expect(statSync(path).ino).not.toBe(before);
    expect(readdirSync(directory)).toEqual(["index.json"]);
  },
);

test("what a killed writer left is overwritten", async () => {
  const directory = scratch();
  const path = join(directory, "index.json");
  writeFileSync(`${path}.tmp`, "half of something very lo");
  await writeFileAtomic(path, "whole");
  expect(readFileSync(path, "utf8")).toBe("whole");
  expect(readdirSync(directory)).toEqual(["index.json"]);
});

test("who reads meanwhile sees one version or the other", async () => {
  const path = join(scratch(), "file");
  const versions = ["1".repeat(100_000), "2".repeat(200_000)];
  await writeFileAtomic(path, versions[0] ?? "", { durable: false });
  let writing = true;
  const writer = (async () => {
    for (let n = 0; n < 50; n++) await writeFileAtomic(path, versions[n % 2] ?? "", { durable: false });
    writing = false;
  })();
  while (writing) {
    expect(versions).toContain(readFileSync(path, "utf8"));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writer;
});

test("a missing path is ENOENT", async () => {
  const directory = scratch();
  await expect(fsyncPath(join(directory, "no"))).rejects.toMatchObject({ code: "ENOENT" });
  await expect(writeFileAtomic(join(directory, "no", "file"), "")).rejects.toMatchObject({ code: "ENOENT" });
  await fsyncPath(directory);
});

test("a failure leaves the old content, and no temporary file", async () => {
  const directory = scratch();
  mkdirSync(join(directory, "file"));
  await expect(writeFileAtomic(join(directory, "file"), "new")).rejects.toMatchObject({ code: "EISDIR" });
  expect(readdirSync(directory)).toEqual(["file"]);
});
