import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

export interface CommandOptions {
  /** @defaultValue the current directory */
  readonly cwd?: string;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How a program ran that ended well. */
export interface CommandResult {
  readonly stdout: string;
  /** Wall-clock time from start to exit. */
  readonly milliseconds: number;
  /** The most memory it ever had resident (the kernel's `VmHWM`), without its children's. */
  readonly peakBytes: number;
}

const linesOfFailure = 25;
const samplePeriodMs = 10;

/**
 * Run a program to its end.
 * @throws Error, with the end of what it printed, if it cannot be started or exits with anything but 0
 */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const started = performance.now();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
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

  const ended = new Promise<number>((resolve, reject) => {
    let milliseconds = 0;
    child.once("error", reject);
    child.once("exit", () => {
      milliseconds = performance.now() - started;
    });
    child.once("close", (code, signal) => {
      if (code === 0) resolve(milliseconds);
      else reject(failure([program, ...args], code ?? signal, everything));
    });
  });
  try {
    const milliseconds = await ended;
    return { stdout: Buffer.concat(stdout).toString(), milliseconds, peakBytes };
  } finally {
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

function highWaterMark(pid: number): number {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0; // it has just ended
  }
}
