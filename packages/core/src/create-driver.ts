import { realpathSync } from "node:fs";
import { writeFileAtomic } from "./atomic-file.ts";
import type { Capabilities } from "./capabilities.ts";
import { checkState } from "./check.ts";
import { cleanUp } from "./cleanup.ts";
import type {
  ActiveSnapshot,
  CallOptions,
  CleanupReport,
  Labels,
  Mount,
  PrepareOptions,
  Problem,
  Snapshot,
  SnapshotFilter,
  SnapshotInfo,
  SnapshotOptions,
  StorageDriver,
  Usage,
  ViewSnapshot,
} from "./driver.ts";
import { currentEntry, type DriverCore, onBehalf } from "./driver-core.ts";
import { syncFileSystem } from "./durability.ts";
import { attempt } from "./errors.ts";
import { failpoint } from "./failpoint.ts";
import { assertId } from "./ids.ts";
import { listSnapshots } from "./list-snapshots.ts";
import { makeDirectories } from "./make-directories.ts";
import { makeSnapshot } from "./make-snapshot.ts";
import type { DriverMechanism, DriverOptions } from "./mechanism.ts";
import { recordTemporary } from "./record-temporaries.ts";
import { removeSnapshot } from "./remove-snapshot.ts";
import { assertLabels, encodeRecord } from "./snapshot-record.ts";
import { Active, openEntry, View } from "./snapshots.ts";
import { infoOf, StateDirectory } from "./state-directory.ts";

/** See the function of the same name in `on-demand.ts`. */
export async function createDriver(
  mechanism: DriverMechanism,
  options: DriverOptions,
): Promise<StorageDriver> {
  const { root, durability = "commit" } = options;
  if (typeof root !== "string" || root === "") throw new TypeError("root must be the path of a directory");
  if (durability !== "commit" && durability !== "none") {
    throw new TypeError(`durability must be "commit" or "none", not ${JSON.stringify(durability)}`);
  }
  return attempt(`open ${mechanism.name} in ${root}`, async () => {
    makeDirectories(root);
    failpoint("open.root-made");
    // Mounts are known to the kernel by their real path.
    const path = realpathSync(root);
    // First, so that a root where this driver cannot work is left to another.
    const capabilities = await mechanism.probe(path);
    const state = await StateDirectory.open(path, mechanism.name);
    const mounts = new Set<Mount>();
    return new Driver({
      mechanism,
      capabilities,
      state,
      durable: durability === "commit",
      mounts,
      closed: false,
    });
  });
}

class Driver implements StorageDriver {
  readonly name: string;
  readonly root: string;
  readonly capabilities: Capabilities;
  readonly #core: DriverCore;

  constructor(core: DriverCore) {
    this.#core = core;
    this.name = core.mechanism.name;
    this.root = core.state.root;
    this.capabilities = core.capabilities;
  }

  prepare(key: string, parent?: string, options: PrepareOptions = {}): Promise<ActiveSnapshot> {
    return this.#attempt(`prepare "${key}"`, async () => {
      assertNew(key, parent, options);
      return new Active(this.#core, await makeSnapshot(this.#core, "active", key, parent, options));
    });
  }

  view(key: string, parent?: string, options: SnapshotOptions = {}): Promise<ViewSnapshot> {
    return this.#attempt(`view "${key}"`, async () => {
      assertNew(key, parent, options);
      return new View(this.#core, await makeSnapshot(this.#core, "view", key, parent, options));
    });
  }

  open(id: string): Promise<Snapshot> {
    return this.#attempt(`open "${id}"`, async () => {
      assertId(id);
      return openEntry(this.#core, this.#core.state.get(id));
    });
  }

  stat(id: string): Promise<SnapshotInfo> {
    return this.#attempt(`stat "${id}"`, async () => {
      assertId(id);
      return infoOf(this.#core.state.get(id));
    });
  }

  list(filter: SnapshotFilter = {}): AsyncIterable<SnapshotInfo> {
    return listSnapshots(this.#core, filter);
  }

  usage(id: string, options: CallOptions = {}): Promise<Usage> {
    return this.#attempt(`usage of "${id}"`, async () => {
      assertId(id);
      options.signal?.throwIfAborted();
      const { mechanism, state } = this.#core;
      return mechanism.usage(state.place(state.get(id)), options);
    });
  }

  setLabels(id: string, labels: Labels): Promise<SnapshotInfo> {
    return this.#attempt(`label "${id}"`, async () => {
      assertId(id);
      assertLabels(labels);
      const { durable, state } = this.#core;
      const opened = state.get(id);
      using _lock = await state.lockSnapshot(opened);
      const { directory, record } = currentEntry(this.#core, opened);
      const entry = { directory, record: { ...record, labels, updatedAt: new Date() } };
      const kind = record.kind === "committed" ? "names" : "keys";
      const path = state.recordPath(kind, directory);
      await writeFileAtomic(path, encodeRecord(entry.record), {
        durable: durable && kind === "names",
        temporary: recordTemporary(state, directory),
      });
      return infoOf(entry);
    });
  }

  remove(id: string): Promise<void> {
    return this.#attempt(`remove "${id}"`, async () => {
      assertId(id);
      await removeSnapshot(this.#core, id);
    });
  }

  cleanup(options: CallOptions = {}): Promise<CleanupReport> {
    return this.#attempt(`clean up ${this.root}`, () => cleanUp(this.#core, options));
  }

  check(options: CallOptions = {}): Promise<Problem[]> {
    return this.#attempt(`check ${this.root}`, () => checkState(this.#core, options));
  }

  sync(): Promise<void> {
    return this.#attempt(`sync ${this.root}`, async () => {
      if (this.#core.durable) await syncFileSystem(this.root);
    });
  }

  async close(): Promise<void> {
    this.#core.closed = true;
    const results = await Promise.allSettled([...this.#core.mounts].map((mount) => mount.close()));
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    return onBehalf(this.#core, what, work);
  }
}

function assertNew(key: string, parent: string | undefined, { labels }: SnapshotOptions): void {
  assertId(key, "key");
  if (parent !== undefined) assertId(parent, "parent");
  if (labels !== undefined) assertLabels(labels);
}
