import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { mountsBelow } from "@strata/conformance/suite";
import { beforeAll, describe, expect, it } from "vitest";
import { layerTar, writeArchive, writeFiles } from "./support/archive.ts";
import { cleanEnvironment, drivers, run, type Strata, useScratch, useStrata } from "./support/strata.ts";

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

  const everything = () => listOf(strata.root);
});

interface Operation {
  readonly args: readonly string[];
  /** The image or container that it makes. */
  readonly makes?: string;
  /** The file that it writes. */
  readonly writes?: string;
  readonly undo?: readonly string[];
}

/** Reproducible: a failure is found again by its seed. */
const seed = 20_240_517;

describe.each(drivers)("a signal at any moment under %s", (driver) => {
  const own = useStrata(scratch, driver);
  const operations: Readonly<Record<string, Operation>> = {
    load: { args: ["load", "-qi", "other.tar"], undo: ["rmi", "-f", "other:1"], makes: "other:1" },
    import: {
      args: ["import", "root.tar", "imported:1"],
      undo: ["rmi", "-f", "imported:1"],
      makes: "imported:1",
    },
    save: { args: ["save", "-o", "saved.tar", "base:1"], writes: "saved.tar" },
    create: { args: ["create", "--name", "second", "base:1"], undo: ["rm", "second"], makes: "second" },
    commit: { args: ["commit", "web", "made:1"], undo: ["rmi", "-f", "made:1"], makes: "made:1" },
    export: { args: ["export", "-o", "exported.tar", "web"], writes: "exported.tar" },
    check: { args: ["check"] },
  };
  let directory: string;
  let inDirectory: { cwd: string };

  beforeAll(async () => {
    directory = scratch.join(`signals-${driver}`);
    inDirectory = { cwd: directory };
    mkdirSync(directory);
    const files = (name: string) =>
      Object.fromEntries(
        Array.from({ length: 300 }, (_, n) => [`${name}/${n}`, randomBytes(20_000).toString("base64")]),
      );
    writeArchive(join(directory, "base.tar"), { tags: ["base:1"], layers: [files("base")] });
    writeArchive(join(directory, "other.tar"), { tags: ["other:1"], layers: [files("one"), files("two")] });
    writeFileSync(join(directory, "root.tar"), layerTar(join(directory, "root"), files("root")));
    await own.strata.ok("load", "-qi", join(directory, "base.tar"));
    await own.strata.ok("create", "--name", "web", "base:1");
    const path = await own.strata.ok("mount", "web");
    writeFiles(path, files("new"));
    await own.strata.ok("umount", "web");
    await own.strata.ok("gc");
  });

  it.each(Object.entries(operations))("%s is cut short, and works the next time", async (name, operation) => {
    const { strata } = own;
    const work = () => strata.run(operation.args, inDirectory);
    const started = performance.now();
    expect(await work()).toMatchObject({ code: 0 });
    const durationMs = performance.now() - started;
    const { makes, writes } = operation;
    const output = writes === undefined ? undefined : join(directory, writes);
    const whole = output === undefined ? undefined : readFileSync(output);
    const undo = async () => {
      if (operation.undo) await strata.ok(...operation.undo);
      await strata.ok("gc");
      if (output !== undefined) rmSync(output, { force: true });
    };
    await undo();
    const before = [listOf(strata.root), listOf(directory)];

    let cut = 0;
    const parts = momentsOf(name);
    // On a machine that was busy before and is not now, all of these come too late.
    for (let round = 0; round < parts.length || cut === 0; round += 1) {
      const part = parts[round] ?? 0.5 ** round;
      const signal = round % 2 === 0 ? "SIGINT" : "SIGTERM";
      const where = `${name}, ${signal} at ${part.toFixed(3)} of ${durationMs.toFixed(0)} ms (seed ${seed})`;
      const child = spawn(process.execPath, [...strata.prefix, ...operation.args], {
        ...inDirectory,
        env: cleanEnvironment(),
        stdio: ["ignore", "ignore", "pipe"],
      });
      let stderr = "";
      child.stderr.on("data", (chunk: Buffer) => {
        stderr += chunk;
      });
      const closed = once(child, "close", { signal: AbortSignal.timeout(60_000) });
      await setTimeout(part * durationMs);
      child.kill(signal);
      const [code, killedBy] = await closed;
      // Done, or all but the end of the process.
      const isDone = async () => {
        if (makes !== undefined) return (await strata.run(["inspect", makes])).code === 0;
        if (output === undefined || !existsSync(output)) return false;
        expect(readFileSync(output).equals(whole ?? Buffer.alloc(0)), where).toBe(true);
        return true;
      };
      if (code === 0 || (await isDone())) {
        await undo();
        continue;
      }
      // Before Node runs the command's first line, a signal has its default effect.
      if (killedBy === null) expect({ code, stderr }, where).toEqual({ code: codes[signal], stderr: "" });
      else expect(killedBy, where).toBe(signal);
      cut += 1;
      expect(mountsBelow(strata.root), where).toEqual([]);
      expect([listOf(strata.root), listOf(directory)], where).toEqual(before);
    }
    expect(cut, `${name} was cut short`).toBeGreaterThan(0);
    expect(await work()).toMatchObject({ code: 0 });
    await undo();
  });
});

const codes = { SIGINT: 130, SIGTERM: 143 } as const;

/** Parts of an operation's duration, at which it gets a signal. */
function momentsOf(name: string): number[] {
  const hash = createHash("sha256").update(`${seed} ${name}`).digest();
  return [0.4, 0.7].map((part, n) => part + (hash[n] ?? 0) / 256 / 5);
}

function listOf(root: string): string[] {
  return readdirSync(root, { recursive: true }).map(String).sort();
}

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
