import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { flock, O_RDWR, openat } from "@strata/linux";
import { expect, it } from "vitest";
import { useScratch, using } from "./support.ts";

const scratch = useScratch();
const nonblocking = true;

it("keeps another process out until the holder unlocks, closes or dies", async () => {
  const path = join(scratch.path, "lock");
  writeFileSync(path, "");
  const holder = spawn(process.execPath, [fileURLToPath(new URL("hold-lock.js", import.meta.url)), path], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  using(openat(scratch.fd, "lock", O_RDWR), (fd) => {
    expect(flock(fd, "exclusive", { nonblocking })).toBe(false);
    expect(flock(fd, "shared", { nonblocking })).toBe(false);
  });
  holder.kill("SIGKILL");
  await once(holder, "exit");
  using(openat(scratch.fd, "lock", O_RDWR), (fd) => {
    expect(flock(fd, "exclusive", { nonblocking })).toBe(true);
  });
});

it("is shared by several, and turns from one kind into another", () => {
  writeFileSync(join(scratch.path, "lock"), "");
  using(openat(scratch.fd, "lock", O_RDWR), (a) => {
    using(openat(scratch.fd, "lock", O_RDWR), (b) => {
      expect(flock(a, "shared")).toBe(true);
      expect(flock(b, "shared", { nonblocking })).toBe(true);
      expect(flock(b, "exclusive", { nonblocking })).toBe(false);
      flock(a, "unlock");
      expect(flock(b, "exclusive", { nonblocking })).toBe(true);
    });
  });
});

it("fails on what is not open", () => {
  expect(() => flock(1_000_000, "shared")).toThrow(
    expect.objectContaining({ code: "EBADF", syscall: "flock" }),
  );
});
