import { mkdtempSync } from "node:fs";
import type { ActiveSnapshot, PrepareOptions, SnapshotOptions, ViewSnapshot } from "@strata/core";
import type { Entry } from "../memory/entry.ts";
import { MemoryDriver } from "../memory/memory-driver.ts";
import { type BrokenDriver, driving } from "./broken-driver.ts";

/** Drivers that are wrong only when something goes wrong, or several things go on at once. */
export const faults: readonly BrokenDriver[] = [
  {
    flaw: "does not look at the signal that aborts prepare and view",
    create: driving(
      class extends MemoryDriver {
        override prepare(
          key: string,
          parent?: string,
          options: PrepareOptions = {},
        ): Promise<ActiveSnapshot> {
          const { signal: _, ...others } = options;
          return super.prepare(key, parent, others);
        }

        override view(key: string, parent?: string, options: SnapshotOptions = {}): Promise<ViewSnapshot> {
          const { signal: _, ...others } = options;
          return super.view(key, parent, others);
        }
      },
    ),
    fails: ["abort-in-mid-prepare", "aborted-before-prepare", "aborted-before-view"],
  },
  {
    flaw: "keeps the key of what could not be made",
    create: driving(
      class extends MemoryDriver {
        protected override async make(
          ...[kind, key, parent, options]: Parameters<MemoryDriver["make"]>
        ): Promise<Entry> {
          const free = !this.making.has(key) && !this.entries.has(key);
          try {
            return await super.make(kind, key, parent, options);
          } catch (error) {
            if (free && options.signal?.aborted) this.making.set(key, undefined);
            throw error;
          }
        }
      },
    ),
    fails: ["abort-in-mid-prepare", "aborted-before-prepare", "aborted-before-view"],
  },
  {
    flaw: "leaves a directory behind for each mount",
    create: driving(
      class extends MemoryDriver {
        protected override attach(entry: Entry): string {
          mkdtempSync(`${this.root}/left-`);
          return super.attach(entry);
        }
      },
    ),
    fails: [
      "abort-in-cleanup",
      "bare-wh-dot-dot-refused",
      "bare-wh-dot-refused",
      "bare-wh-refused",
      "cleanup-of-every-kind",
      "inside-whiteout-refused",
      "wrong-diffid-leaves-nothing",
    ],
  },
  {
    flaw: "looks whether a key is free before it copies the tree, and not after",
    create: driving(
      class extends MemoryDriver {
        protected override assertFree(id: string): void {
          if (this.entries.has(id)) super.assertFree(id);
        }
      },
    ),
    fails: ["key-and-name-race", "same-key-race"],
  },
  {
    flaw: "does not know of children that are still being made",
    create: driving(
      class extends MemoryDriver {
        protected override assertChildless(entry: Entry): void {
          const made = [...this.entries.values()].some(({ parent }) => parent === entry);
          if (made) super.assertChildless(entry);
        }
      },
    ),
    fails: ["remove-vs-prepare"],
  },
];
