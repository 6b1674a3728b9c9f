import { commitSnapshot } from "./commit-snapshot.ts";
import type {
  ActiveSnapshot,
  CommitOptions,
  CommittedSnapshot,
  Mount,
  MountOptions,
  Snapshot,
  SnapshotInfo,
  UnmountOptions,
  ViewSnapshot,
} from "./driver.ts";
import { type DriverCore, onBehalf } from "./driver-core.ts";
import { assertId } from "./ids.ts";
import type { LayerLayout } from "./layout.ts";
import { mountedAt, mountSnapshot, unmountSnapshot } from "./mounts.ts";
import { assertLabels } from "./snapshot-record.ts";
import type { Entry } from "./state-directory.ts";

/** A handle on an entry, of the kind that it is. */
export function openEntry(core: DriverCore, entry: Entry): Snapshot {
  switch (entry.record.kind) {
    case "active":
      return new Active(core, entry);
    case "view":
      return new View(core, entry);
    case "committed":
      return new Committed(core, entry);
  }
}

class Handle {
  readonly id: string;
  declare readonly parent?: string;
  readonly #core: DriverCore;
  readonly #entry: Entry;

  constructor(core: DriverCore, entry: Entry) {
    this.#core = core;
    this.#entry = entry;
    this.id = entry.record.id;
    if (entry.record.parent !== undefined) this.parent = entry.record.parent;
  }

  layout(): LayerLayout {
    return this.#core.mechanism.layout(this.#core.state.place(this.#entry));
  }

  protected attempt<T>(verb: string, work: (core: DriverCore, entry: Entry) => Promise<T>): Promise<T> {
    return onBehalf(this.#core, `${verb} "${this.id}"`, () => work(this.#core, this.#entry));
  }
}

class Mountable extends Handle {
  mount(options?: MountOptions): Promise<Mount> {
    return this.attempt("mount", (core, entry) => mountSnapshot(core, entry, options));
  }

  mountedAt(): Promise<string | undefined> {
    return this.attempt("find the mount of", mountedAt);
  }

  unmount(options?: UnmountOptions): Promise<boolean> {
    return this.attempt("unmount", (core, entry) => unmountSnapshot(core, entry, options));
  }
}

export class Active extends Mountable implements ActiveSnapshot {
  readonly kind = "active";

  commit(name: string, options: CommitOptions = {}): Promise<SnapshotInfo> {
    return this.attempt("commit", async (core, entry) => {
      assertId(name, "name");
      if (options.parent !== undefined) assertId(options.parent, "parent");
      if (options.labels !== undefined) assertLabels(options.labels);
      return commitSnapshot(core, entry, name, options);
    });
  }
}

export class View extends Mountable implements ViewSnapshot {
  readonly kind = "view";
}

class Committed extends Handle implements CommittedSnapshot {
  readonly kind = "committed";
}
