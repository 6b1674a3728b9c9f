import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { setTimeout } from "node:timers/promises";
import { timeOfOthers } from "./other-processes.ts";

/** Shares of the processors' time. */
interface Shares {
  /** Not idle. */
  readonly busy: number;
  /** Kept by the hypervisor for others. */
  readonly stolen: number;
  /** Taken by processes that are neither this one, nor its children, nor the kernel's. */
  readonly others: number;
}

const restMilliseconds = 200;
/** What a host that does nothing else comes to, its own daemons included. */
const busyLimit = 0.15;
const stolenLimit = 0.05;
const loadLimit = 0.5;

/**
 * Why the host is not at rest, in words: what else runs there makes figures worthless. For while nothing is measured.
 * @param attempts - how often to look again before it is said; each takes 0.2 s
 */
export async function loadOfOthers(attempts = 1): Promise<string[]> {
  const reasons = await look();
  return reasons.length > 0 && attempts > 1 ? await loadOfOthers(attempts - 1) : reasons;
}

async function look(): Promise<string[]> {
  const [perMinute = 0] = loadavg();
  const { busy, stolen } = await sharesWhile(() => setTimeout(restMilliseconds));
  const reasons: string[] = [];
  if (busy > busyLimit) reasons.push(`the processors were ${percent(busy)} busy before it began`);
  if (stolen > stolenLimit) reasons.push(`the hypervisor kept ${percent(stolen)} of the processors' time`);
  if (perMinute > loadLimit * availableParallelism() && busy > busyLimit / 2) {
    reasons.push(`the load average was ${perMinute.toFixed(1)}`);
  }
  return reasons;
}

/** As {@link loadOfOthers}, of the time that `work` takes; what the work itself needs is none of it. */
export async function loadWhile(work: () => Promise<void>): Promise<string[]> {
  const { stolen, others } = await sharesWhile(work);
  const reasons: string[] = [];
  if (others > busyLimit) {
    reasons.push(`other processes took ${percent(others)} of the processors' time meanwhile`);
  }
  if (stolen > stolenLimit) {
    reasons.push(`the hypervisor kept ${percent(stolen)} of the processors' time meanwhile`);
  }
  return reasons;
}

async function sharesWhile(work: () => Promise<void>): Promise<Shares> {
  const before = { ...processorTimes(), others: timeOfOthers() };
  await work();
  const after = { ...processorTimes(), others: timeOfOthers() };
  const total = Math.max(after.total - before.total, 1);
  return {
    busy: 1 - (after.idle - before.idle) / total,
    stolen: (after.stolen - before.stolen) / total,
    others: (after.others - before.others) / total,
  };
}

/** In ticks, of all processors. Source: proc_stat(5). */
function processorTimes(): { total: number; idle: number; stolen: number } {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, softirq = 0, stolen = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const total = user + nice + system + idle + waiting + irq + softirq + stolen;
  return { total, idle: idle + waiting, stolen };
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
