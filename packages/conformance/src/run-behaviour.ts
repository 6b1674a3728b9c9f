import type { Capabilities, Capability } from "@strata/core";
import type { Behaviour, Need } from "./behaviour.ts";
import type { DriverUnderTest } from "./driver-under-test.ts";
import { missingFacilities } from "./host/facilities.ts";
import { Trial } from "./trial.ts";

/** What came of one behaviour. */
export type Outcome =
  | { readonly status: "passed"; readonly ms: number }
  | { readonly status: "failed"; readonly ms: number; readonly error: Error }
  | {
      readonly status: "skipped";
      /** Why, in words. */
      readonly reason: string;
      /** Whether the host lacks something; else the driver excludes the behaviour. */
      readonly missing: boolean;
    };

/** Try one behaviour with a driver on a root of its own. Never throws. */
export async function runBehaviour(
  behaviour: Behaviour,
  under: DriverUnderTest,
  directory?: string,
): Promise<Outcome> {
  const started = performance.now();
  const ms = () => performance.now() - started;
  try {
    const missing = missingFacilities(
      (behaviour.needs ?? []).flatMap((need) => (need.startsWith("host:") ? [need.slice(5)] : [])),
    );
    if (missing.length > 0) {
      return { status: "skipped", missing: true, reason: `the host lacks ${missing.join(", ")}` };
    }
    await using trial = await Trial.open(under, directory);
    const reason = (behaviour.needs ?? [])
      .map((need) => excludes(need, under, trial.driver.capabilities))
      .find((found) => found !== undefined);
    if (reason !== undefined) return { status: "skipped", missing: false, reason };
    await behaviour.run(trial);
    return { status: "passed", ms: ms() };
  } catch (thrown) {
    const error = firstOf(thrown);
    return {
      status: "failed",
      ms: ms(),
      error: error instanceof Error ? error : new Error(String(error), { cause: error }),
    };
  }
}

/** What went wrong first, where `await using` then failed to clean up. */
function firstOf(error: unknown): unknown {
  const covers = error instanceof Error && error.name === "SuppressedError" && "suppressed" in error;
  return covers ? firstOf(error.suppressed) : error;
}

/** Why a driver cannot have a behaviour that needs `need`, if so. */
function excludes(need: Need, under: DriverUnderTest, capabilities: Capabilities): string | undefined {
  if (need.startsWith("host:")) return undefined;
  if (need === "state on disk") {
    return under.persistent === false ? "the driver keeps its state in memory" : undefined;
  }
  if (need === "processes") {
    return under.module === undefined ? "no module is named that another process could import" : undefined;
  }
  if (need === "inode table") {
    const { fileSystem = "ext4" } = under;
    return fileSystem === "ext4" ? undefined : `${fileSystem} makes inodes as long as there is space`;
  }
  const lacks = need.startsWith("no ");
  const name = lacks ? need.slice(3) : need;
  const capability = Object.entries<Capability | number>({ ...capabilities }).find(
    ([key]) => key === name,
  )?.[1];
  if (typeof capability !== "object") throw new Error(`there is no capability ${name}`);
  const { reason, supported } = capability;
  return supported === lacks ? `${lacks ? "has" : "lacks"} ${name}: ${reason}` : undefined;
}
