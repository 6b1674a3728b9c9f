import type { Capabilities } from "./capabilities.ts";
import type { Mount } from "./driver.ts";
import { attempt, StrataError } from "./errors.ts";
import type { DriverMechanism } from "./mechanism.ts";
import type { Entry, StateDirectory } from "./state-directory.ts";

/** What the parts of the state machine share: one driver on one root. */
export interface DriverCore {
  readonly mechanism: DriverMechanism;
  readonly capabilities: Capabilities;
  readonly state: StateDirectory;
  /** Whether a commit is to survive a power cut. */
  readonly durable: boolean;
  /** The mounts that this instance opened and that are not closed yet. */
  readonly mounts: Set<Mount>;
  closed: boolean;
}

/** @throws StrataError `FailedPrecondition`, after the driver was closed */
export function assertOpen({ closed }: DriverCore, what: string): void {
  if (closed) throw new StrataError("FailedPrecondition", `${what}: the driver has been closed`);
}

/** Do what a caller asked for, with its errors mapped. `what` begins the message of an error. */
export function onBehalf<T>(core: DriverCore, what: string, work: () => Promise<T>): Promise<T> {
  return attempt(what, async () => {
    assertOpen(core, what);
    return work();
  });
}

/**
 * The entry as it is now, for a caller who holds the snapshot's lock.
 * @throws StrataError `NotFound`, if the snapshot is gone
 * @throws StrataError `FailedPrecondition`, if it has been committed since
 */
export function currentEntry({ state }: DriverCore, { directory, record }: Entry): Entry {
  const pointed = state.pointedBy(directory);
  if (pointed?.record.id === record.id) return { directory, record: pointed.record };
  if (pointed === undefined) throw state.notFound(record.id);
  throw new StrataError(
    "FailedPrecondition",
    `snapshot "${record.id}" is not active any more: it was committed as "${pointed.record.id}"`,
  );
}

/**
 * A committed snapshot, as the parent of another, for a caller who holds the state.
 * @returns the new snapshot's chain
 * @throws StrataError `NotFound`, `FailedPrecondition`, `DepthExceeded`
 */
export function chainOn({ state, mechanism, capabilities }: DriverCore, parent: string): string[] {
  const { directory, record } = state.get(parent);
  if (record.kind !== "committed") {
    throw new StrataError(
      "FailedPrecondition",
      `snapshot "${parent}" is ${record.kind}, and only a committed one can be a parent; commit it first`,
    );
  }
  const chain = [directory, ...record.chain];
  if (chain.length + 1 > capabilities.maxDepth) {
    throw new StrataError(
      "DepthExceeded",
      `a snapshot on top of "${parent}" would be number ${chain.length + 1} of its chain, and ${mechanism.name} ` +
        `takes ${capabilities.maxDepth} here; squash some layers`,
    );
  }
  return chain;
}
