import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, renameSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { FileLock } from "@strata/core";
import { expect, test } from "vitest";
import { scratch } from "./scratch.ts";

test("one holder at a time, in one process too", async () => {
  const path = join(scratch(), "lock");
  let holders = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      await using _lock = await FileLock.take(path, "exclusive");
      most = Math.max(most, ++holders);
      await setTimeout(1);
      holders--;
    }),
  );
  expect(most).toBe(1);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("shared holders go together, and keep an exclusive one out", async () => {
  const path = join(scratch(), "lock");
  const shared = [await FileLock.take(path, "shared"), await FileLock.take(path, "shared")];
  expect(FileLock.tryTake(path, "exclusive")).toBeUndefined();
  for (const lock of shared) lock.release();
  const exclusive = FileLock.tryTake(path, "exclusive");
  expect(exclusive).toBeDefined();
  expect(FileLock.tryTake(path, "shared")).toBeUndefined();
  exclusive?.release();
  exclusive?.release();
});

test("isHeld tells, and takes nothing", () => {
  const path = join(scratch(), "lock");
  expect(FileLock.isHeld(path)).toBe(false);
  expect(existsSync(path)).toBe(false);
  using _lock = FileLock.tryTake(path, "shared");
  expect(FileLock.isHeld(path)).toBe(false);
  _lock?.release();
  using _exclusive = FileLock.tryTake(path, "exclusive");
  expect(FileLock.isHeld(path)).toBe(true);
});

test("waiting lets the event loop go on, and ends with the signal's reason", async () => {
  const path = join(scratch(), "lock");
  using _lock = await FileLock.take(path, "exclusive");
  const reason = new Error("waited enough");
  const abort = new AbortController();
  const waiting = FileLock.take(path, "exclusive", { signal: abort.signal });
  await setTimeout(30);
  abort.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});

test("a SIGKILLed holder leaves no lock behind", async () => {
  const path = join(scratch(), "lock");
  const script = `import { FileLock } from "@strata/core";
    await FileLock.take(process.argv[1], "exclusive"); console.log("taken"); setInterval(() => {}, 60000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script, path], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(child.stdout, "data");
    expect(FileLock.tryTake(path, "exclusive")).toBeUndefined();
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  expect(FileLock.tryTake(path, "exclusive")).toBeDefined();
});

test("a waiter does not get the lock of a file that was removed or replaced", async () => {
  const directory = scratch();
  const path = join(directory, "lock");
  const first = await FileLock.take(path, "exclusive");
  const waiting = FileLock.take(path, "exclusive");
  await setTimeout(5);
  unlinkSync(path);
  first.release();
  using second = await waiting;
  expect(existsSync(path)).toBe(true);
  expect(FileLock.tryTake(path, "exclusive")).toBeUndefined();
  second.release();

  const locked = join(directory, "snapshot");
  mkdirSync(locked);
  const third = await FileLock.take(locked, "exclusive", { create: false });
  const tooLate = FileLock.take(locked, "exclusive", { create: false });
  await setTimeout(5);
  renameSync(locked, join(directory, "trash"));
  third.release();
  await expect(tooLate).rejects.toMatchObject({ code: "ENOENT" });
});
