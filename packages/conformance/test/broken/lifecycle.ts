import type { CommitOptions, Labels, SnapshotInfo } from "@strata/core";
import { type Entry, infoOf } from "../memory/entry.ts";
import { MemoryDriver } from "../memory/memory-driver.ts";
import { type BrokenDriver, driving } from "./broken-driver.ts";

/** Drivers that keep their books wrong. */
export const lifecycle: readonly BrokenDriver[] = [
  {
    flaw: "takes an active as a parent",
    create: driving(
      class extends MemoryDriver {
        protected override parent(name: string): Entry {
          return this.entry(name);
        }
      },
    ),
    fails: [],
  },
  {
    flaw: "does not free the key when it commits",
    create: driving(
      class extends MemoryDriver {
        override async commit(
          entry: Entry,
          id: string,
          name: string,
          options: CommitOptions,
        ): Promise<SnapshotInfo> {
          const info = await super.commit(entry, id, name, options);
          this.entries.set(id, entry);
          return info;
        }
      },
    ),
    fails: [],
  },
  {
    flaw: "removes what has children",
    create: driving(
      class extends MemoryDriver {
        protected override assertChildless(): void {}
      },
    ),
    fails: [],
  },
  {
    flaw: "takes a name that is taken",
    create: driving(
      class extends MemoryDriver {
        protected override assertFree(): void {}
      },
    ),
    fails: [],
  },
  {
    flaw: "adds labels to the old ones instead of replacing them",
    create: driving(
      class extends MemoryDriver {
        override async setLabels(id: string, labels: Labels): Promise<SnapshotInfo> {
          const { labels: old } = infoOf(this.entry(id));
          return super.setLabels(id, { ...old, ...labels });
        }
      },
    ),
    fails: [],
  },
];
