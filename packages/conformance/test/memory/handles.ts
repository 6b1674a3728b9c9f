import type {
  ActiveSnapshot,
  CommitOptions,
  CommittedSnapshot,
  LayerLayout,
  Mount,
  MountOptions,
  Snapshot,
  SnapshotInfo,
  UnmountOptions,
  ViewSnapshot,
} from "@strata/core";
import type { Entry } from "./entry.ts";
import type { MemoryDriver } from "./memory-driver.ts";

/** A handle on an entry, of the kind that it is now. */
export function handleOf(driver: MemoryDriver, entry: Entry): Snapshot {
  switch (entry.kind) {
    case "active":
      return new Active(driver, entry);
    case "view":
      return new View(driver, entry);
    case "committed":
      return new Committed(driver, entry);
  }
}

class Handle {
  readonly id: string;
  declare readonly parent?: string;
  protected readonly driver: MemoryDriver;
  protected readonly entry: Entry;

  constructor(driver: MemoryDriver, entry: Entry) {
    this.driver = driver;
    this.entry = entry;
    this.id = entry.id;
    if (entry.parent !== undefined) this.parent = entry.parent.id;
  }

  layout(): LayerLayout {
    return this.driver.layoutOf(this.entry);
  }
}

class Mountable extends Handle {
  mount(options: MountOptions = {}): Promise<Mount> {
    return this.driver.mount(this.entry, this.id, options);
  }

  mountedAt(): Promise<string | undefined> {
    return this.driver.mountedAt(this.entry);
  }

  unmount(options: UnmountOptions = {}): Promise<boolean> {
    return this.driver.unmount(this.entry, this.id, options);
  }
}

export class Active extends Mountable implements ActiveSnapshot {
  readonly kind = "active";

  commit(name: string, options: CommitOptions = {}): Promise<SnapshotInfo> {
    return this.driver.commit(this.entry, this.id, name, options);
  }
}

export class View extends Mountable implements ViewSnapshot {
  readonly kind = "view";
}

class Committed extends Handle implements CommittedSnapshot {
  readonly kind = "committed";
}
