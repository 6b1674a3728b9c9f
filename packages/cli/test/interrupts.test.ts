import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { writeArchive } from "./support/archive.ts";
import { cleanEnvironment, run, type Strata, useScratch, useStrata } from "./support/strata.ts";

const scratch = useScratch();
const store = useStrata(scratch, "vfs");
let strata: Strata;
let archive: string;

beforeAll(async () => {
  strata = store.strata;
  archive = scratch.join("a.tar");
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString("base64");
  writeArchive(archive, { tags: ["big:1"], layers: [{ big: random.repeat(100) }] });
  await strata.ok("images");
});

/** What a pipe takes before its reader has read anything. */
const pipeCapacity = 60_000;

describe("a signal", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends load with %d, and leaves nothing behind", async (signal, code) => {
    await strata.ok("gc");
    const before = everything();
    // A pipe whose writer never closes it: the load waits for the rest of its archive.
    const fifo = scratch.join(signal);
    execFileSync("mkfifo", [fifo]);
    const pipe = openSync(fifo, "r+");
    writeSync(pipe, readFileSync(archive).subarray(0, pipeCapacity));
    const child = spawn(process.execPath, [...strata.prefix, "load"], {
      env: cleanEnvironment(),
      stdio: [pipe, "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr += chunk;
    });
    try {
      // It has begun to read when its staging directory is there.
      await expect.poll(() => readdirSync(join(strata.root, "ingest")), { timeout: 30_000 }).not.toEqual([]);
      child.kill(signal);
      const [status] = await once(child, "exit", { signal: AbortSignal.timeout(30_000) });
      expect({ status, stderr }).toEqual({ status: code, stderr: "" });
    } finally {
      child.kill("SIGKILL");
      closeSync(pipe);
    }
    expect(everything()).toEqual(before);
  });

  function everything(): string[] {
    return readdirSync(strata.root, { recursive: true }).map(String).sort();
  }
});

describe("a reader that goes away", () => {
  it("ends the command quietly", async () => {
    await strata.ok("load", "-qi", archive);
    const command = [process.execPath, ...strata.prefix].join(" ");
    for (const args of ["save big:1", "images"]) {
      const script = `set -o pipefail; ${command} ${args} | true`;
      const { code, stderr } = await run("bash", ["-c", script], {
        env: { PATH: process.env["PATH"] ?? "" },
      });
      expect(stderr).toBe("");
      // The reader may have gone before or after a short text was written.
      expect(args === "images" ? [0, 141] : [141]).toContain(code);
    }
  });
});
