import { readdirSync, readFileSync } from "node:fs";

interface Process {
  readonly parent: number;
  readonly isKernels: boolean;
  /** Its own time, and that of its children which it has waited for. */
  readonly ticks: number;
}

/** PF_KTHREAD of the kernel's include/linux/sched.h. */
const kernelThread = 0x00200000;

/**
 * How long all processes have run by now that are neither this one, nor descend from it, nor are the kernel's own: it
 * works for whoever measures, too. In ticks. A child that ends in between is in the time of its parent.
 */
export function timeOfOthers(): number {
  const processes = allProcesses();
  const isOurs = (pid: number): boolean => {
    if (pid === process.pid) return true;
    const parent = processes.get(pid)?.parent ?? 0;
    return parent > 0 && isOurs(parent);
  };
  let ticks = 0;
  for (const [pid, each] of processes) if (!each.isKernels && !isOurs(pid)) ticks += each.ticks;
  return ticks;
}

/** Source: proc_pid_stat(5). */
function allProcesses(): ReadonlyMap<number, Process> {
  const processes = new Map<number, Process>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    const text = pid > 0 ? statusOf(pid) : undefined;
    if (text === undefined) continue;
    // The second field, the program's name, may have blanks and parentheses in it.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const field = (number: number) => Number(fields[number - 3]);
    processes.set(pid, {
      parent: field(4),
      isKernels: (field(9) & kernelThread) !== 0,
      ticks: field(14) + field(15) + field(16) + field(17),
    });
  }
  return processes;
}

function statusOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined; // it has just ended
  }
}
