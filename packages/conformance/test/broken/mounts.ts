import { type Mount, type MountOptions, type PrepareOptions, supported, unsupported } from "@strata/core";
import { capabilities } from "../memory/capabilities.ts";
import type { Entry } from "../memory/entry.ts";
import { MemoryDriver } from "../memory/memory-driver.ts";
import { type Tree, Trees } from "../memory/trees.ts";
import { type BrokenDriver, driving, keeping } from "./broken-driver.ts";

class Unlimited extends Trees {
  override create(parent: Tree | undefined, { signal }: PrepareOptions): Promise<Tree> {
    return super.create(parent, signal === undefined ? {} : { signal });
  }
}

/** Drivers that mount wrong, or promise what they do not do. */
export const mounts: readonly BrokenDriver[] = [
  {
    flaw: "lets a view be written",
    create: keeping(
      class extends Trees {
        override mount(tree: Tree, at: string): void {
          super.mount(tree, at, "active");
        }
      },
    ),
    fails: ["view-is-really-readonly", "view-of-nothing"],
  },
  {
    flaw: "leaves mounted what was mounted when it is closed",
    create: driving(
      class extends MemoryDriver {
        override async close(): Promise<void> {
          for (const { mounts: held } of this.entries.values()) held.clear();
          await super.close();
        }
      },
    ),
    fails: ["busy-driver-close", "nothing-left-mounted"],
  },
  {
    flaw: "unmounts at the first close, though others hold the tree mounted",
    create: driving(
      class extends MemoryDriver {
        override async mount(entry: Entry, id: string, options: MountOptions): Promise<Mount> {
          const mount = await super.mount(entry, id, options);
          const close = async () => {
            if (!options.persistent) this.detach(entry, false);
            await mount.close();
          };
          return { path: mount.path, close, [Symbol.asyncDispose]: close };
        }
      },
    ),
    fails: [
      "dispose-twice",
      "mounts-at-once",
      "nested-mount-counts",
      "nested-mount-counts-view",
      "persistent-mount-and-others",
      "view-apart",
    ],
  },
  {
    flaw: "removes what is mounted",
    create: driving(
      class extends MemoryDriver {
        override async remove(id: string): Promise<void> {
          const entry = this.entry(id);
          this.detach(entry, true);
          await super.remove(id);
        }
      },
    ),
    fails: ["busy-remove", "persistent-mount-busy"],
  },
  {
    flaw: "says that it enforces quotas, and does not",
    create: keeping(Unlimited),
    fails: ["bytes-quota", "edquot-write", "inode-quota"],
  },
  {
    flaw: "says that it has no quotas, and takes one without a word",
    create: driving(
      class extends MemoryDriver {
        override readonly capabilities = {
          ...capabilities,
          quotaBytes: unsupported("not in this one"),
          quotaInodes: unsupported("not in this one"),
        };
      },
    ),
    supports: { quotaBytes: false, quotaInodes: false },
    fails: ["quota-unsupported-throws-bytes", "quota-unsupported-throws-inodes"],
  },
  {
    flaw: "says that it can commit on a parent given later, and cannot",
    create: driving(
      class extends MemoryDriver {
        override readonly capabilities = { ...capabilities, rebase: supported("no problem") };
      },
    ),
    supports: { rebase: true },
    fails: [
      "500-layers-then-DepthExceeded",
      "aufs-names-ignored",
      "bare-wh-dot-dot-refused",
      "bare-wh-dot-refused",
      "bare-wh-refused",
      "dir-mtime-restored",
      "directory-entry-merges",
      "duplicate-entries",
      "global-pax-header-ignored",
      "inside-whiteout-refused",
      "junk-and-truncated-bzip2",
      "junk-and-truncated-gzip",
      "junk-and-truncated-plain",
      "junk-and-truncated-xz",
      "junk-and-truncated-zstd",
      "missing-parents-take-lower-attributes",
      "nested-overlay-whiteouts",
      "opaque-below-stays",
      "opaque-order-free",
      "opaque-root",
      "opaque-spares-same-layer",
      "parallel-equals-sequential",
      "parent-at-commit",
      "parent-at-commit-checked",
      "plain-whiteout-in-opaque",
      "plain-whiteouts",
      "root-attributes",
      "symlinked-parent",
      "trailing-bytes-hashed",
      "type-changes",
      "ustar-gnu-conflict",
      "whiteout-in-first-layer",
      "whiteout-of-nothing",
      "whiteout-then-child",
    ],
  },
];
