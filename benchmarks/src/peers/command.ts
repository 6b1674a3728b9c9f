import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { searchPath } from "@strata/conformance/suite";

/** How a program is run. */
export interface CommandOptions {
  /** @defaultValue the current directory */
  readonly cwd?: string;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Aborted, the program is told to end; the call fails once it has. */
  readonly signal?: AbortSignal | undefined;
}

/** How a program ran that ended well. */
export interface CommandResult {
  readonly stdout: string;
  /** The most memory it ever had resident (the kernel's `VmHWM`), without its children's; 0, if it ended at once. */
  readonly peakBytes: number;
}

const linesOfFailure = 25;
const samplePeriodMs = 10;
const endTimeoutMs = 5000;

/** This process's environment, and programs also from where those of the administrator lie. */
export function commandEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: searchPath };
}

/**
 * Run a program to its end.
 * @throws Error, with the end of what it printed, if it cannot be started or exits with anything but 0
 * @throws the signal's reason
 */
export async function run(
  program: string,
  args: readonly string[],
  { cwd, env, signal }: CommandOptions = {},
): Promise<CommandResult> {
  signal?.throwIfAborted();
  const child = spawn(program, args, {
    cwd,
    env: { ...commandEnvironment(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stdout: Buffer[] = [];
  const everything: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout.push(chunk);
    everything.push(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => everything.push(chunk));

  // VmHWM only ever rises, so a sample misses no more than what was added in the last few milliseconds of its life.
  let peakBytes = 0;
  const sampler = setInterval(() => {
    peakBytes = Math.max(peakBytes, child.pid === undefined ? 0 : highWaterMark(child.pid));
  }, samplePeriodMs);

  let killTimer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    child.kill("SIGTERM");
    killTimer = setTimeout(() => child.kill("SIGKILL"), endTimeoutMs);
  };
  signal?.addEventListener("abort", onAbort, { once: true });

  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(failure([program, ...args], code ?? signal, everything));
    });
  });
  try {
    await ended;
    // Podman, for one, ends well when it is told to end.
    signal?.throwIfAborted();
    return { stdout: Buffer.concat(stdout).toString(), peakBytes };
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    clearTimeout(killTimer);
    clearInterval(sampler);
  }
}

function failure(
  command: readonly string[],
  status: number | string | null,
  output: readonly Buffer[],
): Error {
  const tail = Buffer.concat(output).toString().trimEnd().split("\n").slice(-linesOfFailure).join("\n");
  return new Error(`${command.join(" ")}: ended with ${status}\n${tail}`);
}

/** The most memory that a process ever had resident; 0, if it is gone. */
export function highWaterMark(pid: number): number {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0; // it has just ended
  }
}
