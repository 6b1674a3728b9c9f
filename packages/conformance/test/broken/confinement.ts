import { chmodSync, existsSync, lstatSync, readdirSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import type { CommitOptions, SnapshotInfo } from "@strata/core";
import type { Entry } from "../memory/entry.ts";
import { MemoryDriver } from "../memory/memory-driver.ts";
import { type BrokenDriver, driving } from "./broken-driver.ts";

/** Drivers that what is in a layer leads out of its tree. */
export const confinement: readonly BrokenDriver[] = [
  {
    flaw: "takes write permission from what symlinks lead to outside, when it commits",
    create: driving(
      class extends MemoryDriver {
        override async commit(
          entry: Entry,
          id: string,
          name: string,
          options: CommitOptions,
        ): Promise<SnapshotInfo> {
          const info = await super.commit(entry, id, name, options);
          const tree = entry.tree.path;
          for (const path of textNames(tree).map((name) => `${tree}/${name}`)) {
            const target = lstatSync(path).isSymbolicLink() && existsSync(path) && realpathSync(path);
            // Of what is outside, only what belongs to the trial: other symlinks lead into the host.
            const outside = target && !target.startsWith(`${tree}/`);
            if (outside && target.startsWith(`${dirname(this.root)}/`)) chmodSync(target, 0o444);
          }
          return info;
        }
      },
    ),
    fails: [
      "hardlink-to-symlink-chmod",
      "layer-2-hardlinks-through-layer-1s-link",
      "layer-2-through-layer-1s-link",
      "magic-link-breakout",
      "symlink-breakout",
      "symlink-breakout-absolute",
      "whiteout-breakout",
    ],
  },
];

function textNames(directory: string): string[] {
  return readdirSync(directory).filter((name) => !name.includes("\ufffd"));
}
