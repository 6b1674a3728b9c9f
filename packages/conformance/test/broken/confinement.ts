import { chmodSync, lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { CommitOptions, SnapshotInfo } from "@strata/core";
import type { Entry } from "../memory/entry.ts";
import { MemoryDriver } from "../memory/memory-driver.ts";
import { type BrokenDriver, driving } from "./broken-driver.ts";

/** Drivers that what is in a layer leads out of its tree. */
export const confinement: readonly BrokenDriver[] = [
  {
    flaw: "takes write permission away when it commits, from what symlinks point to as well",
    create: driving(
      class extends MemoryDriver {
        override async commit(
          entry: Entry,
          id: string,
          name: string,
          options: CommitOptions,
        ): Promise<SnapshotInfo> {
          const info = await super.commit(entry, id, name, options);
          for (const path of readdirSync(entry.tree.path).map((each) => join(entry.tree.path, each))) {
            const target = lstatSync(path).isSymbolicLink() && statSync(path, { throwIfNoEntry: false });
            if (target) chmodSync(path, target.mode & ~0o222);
          }
          return info;
        }
      },
    ),
    fails: [],
  },
];
