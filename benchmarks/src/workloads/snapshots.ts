import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { DriverOptions, StorageDriver } from "@strata/core";
import { openDriver } from "../subjects/drivers.ts";
import type { DriverSubject, Scope, TrialContext } from "../workload.ts";

/** Those that can mount a snapshot with `depth` snapshots below it. */
export function driversOf({ subjects }: Pick<Scope, "subjects">, depth = 1): DriverSubject[] {
  return subjects
    .filter((subject) => subject.kind === "driver")
    .filter(({ capabilities }) => capabilities.maxDepth > depth);
}

/**
 * The driver that is measured. Its root is the same one in all threads of a case; nothing has to be durable, unless that
 * is what is measured.
 */
export async function openRoot(
  { subject, directory }: Pick<TrialContext, "subject" | "directory">,
  durability: NonNullable<DriverOptions["durability"]> = "none",
): Promise<StorageDriver> {
  if (subject.kind !== "driver") throw new TypeError(`${subject.id} is no driver`);
  return await openDriver(subject.module, { root: join(directory, "root"), durability });
}

/** Commit a snapshot under `name`, with what `fill` writes below the path that it is given. */
export async function commitTree(
  driver: StorageDriver,
  name: string,
  parent: string | undefined,
  fill: (path: string) => unknown,
): Promise<void> {
  const active = await driver.prepare(`${name}-active`, parent);
  {
    await using mount = await active.mount();
    await fill(mount.path);
  }
  await active.commit(name);
}

/**
 * Between the steps of what takes long: that the run was aborted is an event, and drivers may do all of a call without
 * waiting for any.
 * @throws the signal's reason
 */
export async function unlessAborted({ signal }: Pick<TrialContext, "signal">): Promise<void> {
  await setImmediate();
  signal.throwIfAborted();
}

/** The value of one of a case's parameters, or what it is in a case that does not vary it. */
export function numberIn({ parameters }: Pick<TrialContext, "parameters">, name: string, usual = 0): number {
  const value = parameters[name] ?? usual;
  if (typeof value !== "number") throw new TypeError(`the parameter ${name} is no number: ${value}`);
  return value;
}
