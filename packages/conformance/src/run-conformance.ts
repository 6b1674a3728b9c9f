import type { Behaviour, Group } from "./behaviour.ts";
import type { DriverUnderTest } from "./driver-under-test.ts";
import { groups } from "./groups/index.ts";
import { RootFileSystem } from "./host/root-file-system.ts";
import { type Outcome, runBehaviour } from "./run-behaviour.ts";

/** A behaviour and what came of it. */
export interface Result {
  readonly group: Group;
  readonly behaviour: Behaviour;
  readonly outcome: Outcome;
}

export interface RunOptions {
  /** Only behaviours whose group, id or title contains this, in whatever case. @defaultValue all */
  readonly filter?: string;
  /** Ends the run after the behaviour that is being tried. */
  readonly signal?: AbortSignal;
}

/** Hold a driver to the suite, behaviour by behaviour. Cost: some minutes for a driver that copies trees. */
export async function* runConformance(
  under: DriverUnderTest,
  { filter = "", signal }: RunOptions = {},
): AsyncGenerator<Result> {
  await using fileSystem = await RootFileSystem.make(under);
  for (const group of groups) {
    for (const behaviour of group.behaviours) {
      signal?.throwIfAborted();
      if (!selects(filter, group, behaviour)) continue;
      yield { group, behaviour, outcome: await runBehaviour(behaviour, under, fileSystem.directory) };
    }
  }
}

/** Whether a behaviour is one of those that {@link RunOptions.filter} asks for. */
export function selects(filter: string, { name }: Group, { id, title }: Behaviour): boolean {
  return `${name} ${id} ${title}`.toLowerCase().includes(filter.toLowerCase());
}
