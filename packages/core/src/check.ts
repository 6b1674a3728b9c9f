import { existsSync } from "node:fs";
import type { CallOptions, Problem } from "./driver.ts";
import type { DriverCore } from "./driver-core.ts";
import { isStrataError } from "./errors.ts";
import type { Entry } from "./state-directory.ts";

/** Look at every key and name: whether it can be read, has its parents, and what the driver finds in it. */
export async function checkState(core: DriverCore, { signal }: CallOptions): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const kind of ["names", "keys"] as const) {
    for (const id of core.state.ids(kind)) {
      signal?.throwIfAborted();
      try {
        const entry = core.state.findIn(kind, id);
        if (entry !== undefined) problems.push(...(await checkEntry(core, entry)));
      } catch (error) {
        if (!isStrataError(error)) throw error;
        problems.push({ subject: id, message: error.message });
      }
    }
  }
  return problems;
}

async function checkEntry({ mechanism, state }: DriverCore, entry: Entry): Promise<Problem[]> {
  const { directory, record } = entry;
  const parent = record.chain[0];
  const problems: Problem[] = [];
  const report = (message: string) => problems.push({ subject: record.id, message });

  if (parent !== undefined && state.pointedBy(parent)?.kind !== "names") {
    report(`its parent "${record.parent}" is gone; remove it and make it anew`);
  } else if (parent !== undefined && !existsSync(state.markPath(parent, directory))) {
    report(
      `its parent "${record.parent}" does not know of it and could be removed; remove this one and make it anew`,
    );
  }
  if (mechanism.check !== undefined) problems.push(...(await mechanism.check(state.place(entry))));
  return problems;
}
