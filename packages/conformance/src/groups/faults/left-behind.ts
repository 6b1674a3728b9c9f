import { existsSync, readdirSync } from "node:fs";
import { treeUsage } from "@strata/core";
import { mountsBelow } from "../../host/scratch.ts";
import type { Trial } from "../../trial.ts";

/** What an operation that was cut short could leave behind. Two of them are compared with `deepEqual`. */
export interface Traces {
  /** Kinds by id. */
  readonly snapshots: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
  readonly mounts: number;
  /** This process's open files. */
  readonly descriptors: number;
  /** Files and directories under the driver's root. */
  readonly inodes: number;
}

/** Look at everything, after a cleanup. */
export async function traces({ driver, root }: Pick<Trial, "driver" | "root">): Promise<Traces> {
  await driver.cleanup();
  const snapshots: Record<string, string> = {};
  for await (const { id, kind } of driver.list()) snapshots[id] = kind;
  return {
    snapshots,
    problems: (await driver.check()).map(({ subject, message }) => `${subject}: ${message}`),
    mounts: mountsBelow(root).length,
    descriptors: readdirSync("/proc/self/fd").length,
    inodes: existsSync(root) ? (await treeUsage(root)).inodes : 0,
  };
}
