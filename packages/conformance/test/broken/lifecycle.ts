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
          const entry = this.entry(name);
          return entry.kind === "active" ? entry : super.parent(name);
        }
      },
    ),
    fails: ["prepare-on-active-fails", "view-on-active-fails"],
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
    fails: [
      "500-layers-then-DepthExceeded",
      "check-clean",
      "cleanup-spares-the-living",
      "commit-in-place-of-another",
      "invalid-id-commit",
      "invalid-id-lookup",
      "invalid-id-parent",
      "invalid-id-prepare",
      "invalid-id-view",
      "key-gone-after-commit",
      "list-exact",
      "long-options-colons",
      "long-options-deep-chain",
      "long-options-long",
      "long-options-odd-bytes",
      "name-reuse-after-remove",
      "parent-never-changes",
      "reader-during-cleanup",
      "remove-leaves-siblings",
      "remove-missing",
      "remove-top-down",
      "remove-vs-prepare",
      "remove-with-children-fails",
      "valid-ids",
      "walk-filters-all",
      "walk-filters-kind",
      "walk-filters-labels",
      "walk-filters-parent",
    ],
  },
  {
    flaw: "removes what has children",
    create: driving(
      class extends MemoryDriver {
        protected override assertChildless(): void {}
      },
    ),
    fails: [
      "commit-in-place-of-another",
      "many-views",
      "remove-top-down",
      "remove-vs-prepare",
      "remove-with-children-fails",
    ],
  },
  {
    flaw: "forgets what is on top of a snapshot when another takes its place",
    create: driving(
      class extends MemoryDriver {
        protected override replace(): void {}
      },
    ),
    fails: ["commit-in-place-of-another"],
  },
  {
    flaw: "takes a name that is taken",
    create: driving(
      class extends MemoryDriver {
        protected override assertFree(): void {}
      },
    ),
    fails: [
      "commit-in-place-of-another",
      "duplicate-key-mixed",
      "duplicate-key-prepare",
      "duplicate-key-view",
      "failed-commit-changes-nothing",
      "key-and-name-race",
      "key-is-no-name",
      "long-options-colons",
      "long-options-long",
      "long-options-odd-bytes",
      "name-collision",
      "name-is-no-key",
      "same-key-race",
      "same-name-commit-race",
    ],
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
    fails: ["labels-not-strings", "labels-replaced"],
  },
];
