import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LoopFileSystem, missingFacilities } from "@strata/conformance/suite";
import { afterAll, beforeAll, expect } from "vitest";

/** The committed launcher: tests run the command as users do. */
export const launcher = fileURLToPath(new URL("../../bin/strata.js", import.meta.url));

const isRoot = process.geteuid?.() === 0;
if (!isRoot) {
  if (process.env["CI"]) throw new Error("CI must run these tests as root");
  console.warn("skipped: everything under overlay2, which needs root");
}

/** Every driver that can be tested here on any file system. */
export const drivers: readonly string[] = isRoot ? ["overlay2", "vfs"] : ["vfs"];

const withoutBtrfs = missingFacilities(["root", "mkfs.btrfs"]);
if (withoutBtrfs.length > 0) {
  if (process.env["CI"]) throw new Error(`CI must test btrfs too, which needs ${withoutBtrfs.join(", ")}`);
  console.warn(`skipped: everything under btrfs, which needs ${withoutBtrfs.join(", ")}`);
}

/** As {@link drivers}, and what {@link useStrata} makes a file system for. */
export const allDrivers: readonly string[] = withoutBtrfs.length > 0 ? drivers : [...drivers, "btrfs"];

/** How a run of the command ended. */
export interface Outcome {
  /** The exit code; 128 and the signal's number, if it was killed. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Run a program to its end; whatever its exit code, that is an outcome. */
export async function run(
  program: string,
  args: readonly string[],
  { input = "", env = {}, cwd }: RunOptions = {},
): Promise<Outcome> {
  const child = spawn(program, args, { cwd, env: { ...cleanEnvironment(), ...env } });
  const output: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (chunk: Buffer) => output[name].push(chunk));
  }
  // A program that does not read its input closes it.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve(status ?? 128));
  });
  return {
    code,
    stdout: Buffer.concat(output.stdout).toString(),
    stderr: Buffer.concat(output.stderr).toString(),
  };
}

/** Nothing of the developer's own settings. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const { STRATA_ROOT: _root, STRATA_DRIVER: _driver, STRATA_DEBUG: _debug, ...rest } = process.env;
  return { ...rest, NO_COLOR: "1" };
}

/** The `strata` command with a root of its own. */
export class Strata {
  readonly root: string;
  readonly driver: string;

  constructor(root: string, driver: string) {
    this.root = root;
    this.driver = driver;
  }

  /** What stands before the command's own arguments. */
  get prefix(): string[] {
    return [launcher, "--root", this.root, "--driver", this.driver];
  }

  async run(args: readonly string[], options?: RunOptions): Promise<Outcome> {
    return await run(process.execPath, [...this.prefix, ...args], options);
  }

  /** Run what must succeed. @returns its standard output without the last line break */
  async ok(...args: string[]): Promise<string> {
    const outcome = await this.run(args);
    expect(outcome, args.join(" ")).toMatchObject({ code: 0 });
    return outcome.stdout.replace(/\n$/, "");
  }

  /** Run what must fail with exit code 1 and no stack trace. @returns its standard error */
  async fails(...args: string[]): Promise<string> {
    const outcome = await this.run(args);
    expect(outcome, args.join(" ")).toMatchObject({ code: 1 });
    expect(outcome.stderr).not.toMatch(/\n\s+at /);
    return outcome.stderr.replace(/\n$/, "");
  }

  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.ok("--json", ...args));
  }
}

/** A directory for one test file, removed at its end. */
export function useScratch(): { join(...names: string[]): string } {
  let path = "";
  beforeAll(() => {
    path = mkdtempSync(join(tmpdir(), "strata-cli-"));
  });
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return { join: (...names) => join(path, ...names) };
}

/** A store of its own in `scratch`; its containers are unmounted at the end. */
export function useStrata(
  scratch: { join(...names: string[]): string },
  driver: string,
): { readonly strata: Strata } {
  const holder: { strata: Strata } = { strata: new Strata("", driver) };
  let fileSystem: LoopFileSystem | undefined;
  beforeAll(async () => {
    if (driver === "btrfs") fileSystem = await LoopFileSystem.make("btrfs");
    const join = fileSystem?.join.bind(fileSystem) ?? scratch.join;
    const root = join(`store-${driver}-${Math.random().toString(36).slice(2, 8)}`);
    mkdirSync(root, { mode: 0o700 });
    holder.strata = new Strata(root, driver);
  });
  afterAll(async () => {
    const { stdout } = await holder.strata.run(["ps", "-aq"]);
    const containers = stdout.split("\n").filter(Boolean);
    if (containers.length > 0) await holder.strata.run(["rm", "-f", ...containers]);
    await fileSystem?.[Symbol.asyncDispose]();
  });
  return holder;
}
