import type { Mount, MountOptions, UnmountOptions } from "./driver.ts";
import { currentEntry, type DriverCore } from "./driver-core.ts";
import { attempt, errnoCode, isStrataError, StrataError } from "./errors.ts";
import { failpoint } from "./failpoint.ts";
import type { SnapshotPlace } from "./mechanism.ts";
import { type Claim, MountClaims } from "./mount-claims.ts";
import type { Entry } from "./state-directory.ts";

/** Mount a tree, or join those who have it mounted. */
export async function mountSnapshot(
  core: DriverCore,
  entry: Entry,
  { persistent = false }: MountOptions = {},
): Promise<Mount> {
  const place = core.state.place(entry);
  using _lock = await core.state.lockSnapshot(entry);
  currentEntry(core, entry);

  const claims = new MountClaims(place.dir);
  const mounted = await core.mechanism.mountedAt(place);
  // A persistent mount does not outlive the host's boot; its mark does.
  if (mounted === undefined) claims.dropPersistent();
  // With the state held: no parent is replaced between the claim and the mount.
  const mine = await core.state.locked(() => claims.take());
  failpoint("mount.claimed");
  try {
    const path = mounted ?? (await core.mechanism.mount(place));
    failpoint("mount.mounted");
    claims.wipeStale();
    if (!persistent) return claimed(core, entry, path, mine);
    claims.takePersistent();
    failpoint("mount.persistent-claimed");
    mine.drop();
    failpoint("mount.claim-dropped");
    return unclaimed(path);
  } catch (error) {
    mine.drop();
    throw error;
  }
}

/** Where a tree is mounted by the claim of a living process or a persistent one. */
export async function mountedAt({ mechanism, state }: DriverCore, entry: Entry): Promise<string | undefined> {
  const place = state.place(entry);
  const claims = new MountClaims(place.dir);
  if (!claims.persistent && claims.holders().length === 0) return undefined;
  return mechanism.mountedAt(place);
}

/** Give up the persistent claim. */
export async function unmountSnapshot(
  core: DriverCore,
  entry: Entry,
  { force = false }: UnmountOptions = {},
): Promise<boolean> {
  const place = core.state.place(entry);
  using _lock = await core.state.lockSnapshot(entry);
  currentEntry(core, entry);

  const claims = new MountClaims(place.dir);
  if (!claims.persistent) return false;
  const mounted = (await core.mechanism.mountedAt(place)) !== undefined;
  if (mounted && claims.holders().length === 0) await undo(core, entry.record.id, place, force);
  claims.dropPersistent();
  failpoint("unmount.claim-dropped");
  return mounted;
}

/**
 * Make sure that nobody has a tree mounted, for who holds the snapshot's lock. A mount that only killed processes
 * had claimed is undone.
 * @throws StrataError `Busy`
 */
export async function assertUnmounted(core: DriverCore, id: string, place: SnapshotPlace): Promise<void> {
  const claims = new MountClaims(place.dir);
  if (!claims.any) return;
  const path = await core.mechanism.mountedAt(place);
  const holders = claims.holders();
  if (holders.length > 0 || (claims.persistent && path !== undefined)) {
    claims.wipeStale();
    const by = holders.length > 0 ? `by process ${[...new Set(holders)].join(", ")}` : "persistently";
    throw new StrataError(
      "Busy",
      `snapshot "${id}" is mounted ${by} at ${path ?? "a path elsewhere"}; unmount it first`,
    );
  }
  if (path !== undefined) await undo(core, id, place, false);
  claims.dropPersistent();
  claims.wipeStale();
}

function claimed(core: DriverCore, entry: Entry, path: string, mine: Claim): Mount {
  let closing: Promise<void> | undefined;
  const mount: Mount = {
    path,
    close() {
      closing ??= attempt(`unmount "${entry.record.id}"`, () => release(core, entry, mine)).then(
        () => {
          core.mounts.delete(mount);
        },
        (error: unknown) => {
          closing = undefined; // The claim is still held; closing can be tried again.
          throw error;
        },
      );
      return closing;
    },
    [Symbol.asyncDispose]: () => mount.close(),
  };
  core.mounts.add(mount);
  return mount;
}

function unclaimed(path: string): Mount {
  const close = async () => {};
  return { path, close, [Symbol.asyncDispose]: close };
}

async function release(core: DriverCore, entry: Entry, mine: Claim): Promise<void> {
  const place = core.state.place(entry);
  try {
    using _lock = await core.state.lockSnapshot(entry);
    const claims = new MountClaims(place.dir);
    const last = !claims.persistent && claims.holders().length === 1;
    const mounted = (await core.mechanism.mountedAt(place)) !== undefined;
    if (last && mounted) await undo(core, entry.record.id, place, false);
    mine.drop();
    failpoint("unmount.claim-dropped");
  } catch (error) {
    if (!isStrataError(error, "NotFound")) throw error;
    mine.drop(); // Somebody deleted the driver's directory.
  }
}

async function undo(core: DriverCore, id: string, place: SnapshotPlace, force: boolean): Promise<void> {
  try {
    await core.mechanism.unmount(place, force);
    failpoint("unmount.unmounted");
  } catch (error) {
    if (errnoCode(error) !== "EBUSY") throw error;
    const message =
      `snapshot "${id}" is in use: a process has files open or its working directory in its tree, or something is ` +
      "mounted in it; end that, or unmount by force";
    throw new StrataError("Busy", message, { cause: error });
  }
}
