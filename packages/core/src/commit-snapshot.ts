import { mkdirSync, renameSync, rmSync } from "node:fs";
import { fsyncPath } from "./atomic-file.ts";
import type { CommitOptions, SnapshotInfo } from "./driver.ts";
import { chainOn, currentEntry, type DriverCore } from "./driver-core.ts";
import { syncFileSystem } from "./durability.ts";
import { StrataError } from "./errors.ts";
import { failpoint } from "./failpoint.ts";
import { assertUnmounted } from "./mounts.ts";
import { releaseMountsAbove, takePlace } from "./replace-snapshot.ts";
import { type Entry, infoOf } from "./state-directory.ts";

/**
 * Make an active snapshot a committed one: seal it, write its new record beside the old, make both durable, and then
 * rename its key to its name. What fails before the rename has changed nothing that counts: the new record is read
 * only by way of a name, and a parent knows by it whether it has a child.
 */
export async function commitSnapshot(
  core: DriverCore,
  opened: Entry,
  name: string,
  options: CommitOptions,
): Promise<SnapshotInfo> {
  const { mechanism, state } = core;
  const { signal } = options;
  using _lock = await state.lockSnapshot(opened, signal);
  const entry = currentEntry(core, opened);
  const place = state.place(entry);
  await assertUnmounted(core, entry.record.id, place);
  assertMayTake(core, name, options);
  assertParent(core, entry, options.parent);

  await mechanism.seal(place);
  failpoint("commit.sealed");
  let committed: Entry;
  try {
    committed = await state.locked(() => stage(core, entry, name, options), signal);
    if (core.durable) await makeDurable(core, committed, options.synced ?? false);
    failpoint("commit.durable");
    if (options.replace) await releaseMountsAbove(core, name, signal);
    await state.locked(() => {
      assertMayTake(core, name, options);
      if (options.replace && takePlace(core, committed, entry.record.id)) return;
      renameSync(state.pointerPath("keys", entry.record.id), state.pointerPath("names", name));
      failpoint("commit.renamed");
    }, signal);
  } catch (error) {
    // Whatever else fails, the first error matters more.
    await state.locked(() => unstage(core, entry, options)).catch(() => {});
    await mechanism.unseal?.(place).catch(() => {});
    throw error;
  }
  if (core.durable) {
    // In this order: btrfs brings back after a power cut what each fsync(2) has seen, so the other way round the snapshot
    // could come back under both.
    if (options.replace) await fsyncPath(`${state.root}/snapshots`);
    await fsyncPath(`${state.root}/keys`);
    await fsyncPath(`${state.root}/names`);
  }
  return infoOf(committed);
}

/** @throws StrataError `AlreadyExists` */
function assertMayTake({ state }: DriverCore, name: string, { replace = false }: CommitOptions): void {
  if (!replace || state.pointer("keys", name) !== undefined) state.assertFree(name);
}

function assertParent({ capabilities, mechanism }: DriverCore, { record }: Entry, parent?: string): void {
  if (parent === undefined || parent === record.parent) return;
  if (record.parent !== undefined) {
    throw new StrataError(
      "FailedPrecondition",
      `snapshot "${record.id}" was prepared on "${record.parent}" and cannot be committed on "${parent}"`,
    );
  }
  if (!capabilities.rebase.supported) {
    throw new StrataError(
      "Unsupported",
      `${mechanism.name} cannot commit on top of a parent given later: ${capabilities.rebase.reason}; ` +
        `prepare the snapshot on "${parent}"`,
    );
  }
}

/** Write the record that counts once a name points to it, for who holds the state. */
function stage(core: DriverCore, { directory, record }: Entry, name: string, options: CommitOptions): Entry {
  const { state } = core;
  const rebased = options.parent !== undefined && record.parent === undefined;
  const chain = rebased && options.parent !== undefined ? chainOn(core, options.parent) : record.chain;
  const committed: Entry = {
    directory,
    record: {
      kind: "committed",
      id: name,
      parent: record.parent ?? options.parent,
      chain,
      labels: options.labels ?? record.labels,
      createdAt: record.createdAt,
      updatedAt: new Date(),
    },
  };
  mkdirSync(`${state.path(directory)}/children`, { recursive: true, mode: 0o700 });
  failpoint("commit.children-made");
  state.writeRecord("names", committed);
  failpoint("commit.record-written");
  const parent = chain[0];
  if (parent !== undefined && record.parent === undefined) {
    state.addChild(parent, directory, "names");
    failpoint("commit.parent-marked");
  }
  return committed;
}

/** Take back what {@link stage} wrote, which would hold space on a full disk. */
function unstage({ state }: DriverCore, { directory, record }: Entry, { parent }: CommitOptions): void {
  if (parent !== undefined && record.parent === undefined) {
    const marked = state.readableRecord("names", directory)?.chain[0];
    if (marked !== undefined) state.removeChild(marked, directory);
  }
  rmSync(state.recordPath("names", directory), { force: true });
}

async function makeDurable(
  { state }: DriverCore,
  { directory, record }: Entry,
  synced: boolean,
): Promise<void> {
  if (!synced) return syncFileSystem(state.root);
  // The tree is on disk, but not what stage() wrote.
  await fsyncPath(state.recordPath("names", directory));
  await fsyncPath(state.path(directory));
  const parent = record.chain[0];
  if (parent !== undefined) await fsyncPath(`${state.path(parent)}/children`);
}
