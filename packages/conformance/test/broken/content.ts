import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, statSync } from "node:fs";
import type { CallOptions, PrepareOptions } from "@strata/core";
import { fchmodat, linkat, S_IFLNK, S_IFMT, statx, utimensat } from "@strata/linux";
import { type Copied, TreeCopy } from "../memory/tree-copy.ts";
import { type Tree, Trees } from "../memory/trees.ts";
import { type BrokenDriver, copying, keeping } from "./broken-driver.ts";

/** Drivers whose trees are not what they should be. */
export const content: readonly BrokenDriver[] = [
  {
    flaw: "forgets a deletion: what a child deleted is back in its own children",
    create: keeping(
      class extends Trees {
        readonly #parents = new Map<string, Tree>();

        override async create(parent: Tree | undefined, options: PrepareOptions): Promise<Tree> {
          const tree = await super.create(parent, options);
          if (parent !== undefined) this.#parents.set(tree.path, parent);
          return tree;
        }

        override async copy(from: Tree, to: Tree, options: CallOptions): Promise<void> {
          await super.copy(from, to, options);
          const older = this.#parents.get(from.path)?.path;
          for (const name of older === undefined ? [] : readdirSync(older)) {
            const isText = !name.includes("\ufffd");
            if (isText && !existsSync(`${to.path}/${name}`)) {
              execFileSync("cp", ["-a", `${older}/${name}`, to.path]);
            }
          }
        }
      },
    ),
    fails: [
      "255-byte-names",
      "changes-of-one-layer",
      "delete-everything",
      "delete-file",
      "delete-recreate-in-third-layer",
      "diff-of-one-layer",
      "echo-at-every-depth",
      "no-name-is-reserved",
      "odd-names",
      "rename-lower-dir-or-EXDEV",
      "rename-lower-file",
      "replace-by-another-type-in-third-layer",
      "unicode-names",
    ],
  },
  {
    flaw: "loses setuid and setgid bits in a child",
    create: copying(
      class extends TreeCopy {
        protected override mode({ to, name, stat }: Copied): void {
          fchmodat(to, name, stat.mode & 0o1777);
        }
      },
    ),
    fails: [
      "child-equals-parent",
      "chmod",
      "chmod-root",
      "missing-parents-take-lower-attributes",
      "owners-of-parents",
      "parent-perms-kept",
      "root-mode-inherited",
      "setgid-directory",
      "setuid-after-chown",
      "template-clone",
    ],
  },
  {
    flaw: "gives a child its parent's own files, so that a write changes both",
    create: copying(
      class extends TreeCopy {
        // biome-ignore lint/correctness/useYield: nothing takes long
        protected override *content({ from, to, name }: Copied): Generator<void, void> {
          linkat(from, name, to, name);
        }
      },
    ),
    fails: [
      "255-byte-names",
      "500-layers-then-DepthExceeded",
      "append",
      "big-file",
      "changes-exact",
      "changes-mounted-equals-unmounted",
      "changes-of-one-layer",
      "chmod",
      "chown-tree",
      "cleanup-spares-the-living",
      "committed-never-changes",
      "copy-file-range",
      "diff-bytes-equal-across-drivers",
      "diff-of-one-layer",
      "dir-mtime",
      "empty-files",
      "explicit-whiteouts-first",
      "fallocate",
      "full-file",
      "hardlink-before-modified",
      "hardlink-modified",
      "large-xattr",
      "long-options-deep-chain",
      "many-xattrs",
      "mode-0000",
      "mounted-together",
      "mtime-kept-on-metadata-change",
      "no-name-is-reserved",
      "non-UTF8-names",
      "ns-mtime",
      "odd-names",
      "overwrite-across-second-boundary",
      "parent-never-changes",
      "parent-perms-kept",
      "parents-included",
      "parents-ordered",
      "path-beyond-PATH_MAX",
      "permission-only-change",
      "posix-acls",
      "post-2038-mtime",
      "pre-1970-mtime",
      "programs-run",
      "quota-of-one-snapshot",
      "remove-leaves-siblings",
      "same-size-same-mtime-edit",
      "security.capability",
      "setuid-after-chown",
      "siblings-apart",
      "size-agrees",
      "sparse-file",
      "truncate",
      "trusted-xattrs",
      "unicode-names",
      "user-xattrs",
      "user-xattrs-kept-on-change",
      "view-apart",
      "write-in-the-middle",
      "write-through-symlink",
      "written-while-open",
    ],
  },
  {
    flaw: "loses extended attributes in a child",
    create: copying(
      class extends TreeCopy {
        protected override xattrs(): void {}
      },
    ),
    fails: [
      "child-equals-parent",
      "default-acl",
      "large-xattr",
      "many-xattrs",
      "missing-parents-take-lower-attributes",
      "posix-acls",
      "security.capability",
      "template-clone",
      "trusted-xattrs",
      "user-xattrs",
      "user-xattrs-kept-on-change",
      "xattrs-kept",
    ],
  },
  {
    flaw: "makes a file of each name of a file",
    create: copying(
      class extends TreeCopy {
        protected override link(): boolean {
          return false;
        }
      },
    ),
    fails: [
      "child-equals-parent",
      "edits-in-several-mounts",
      "fifos",
      "hardlink-across-layers",
      "hardlink-modified",
      "hardlink-name-removed",
      "hardlink-rename-onto-itself",
      "hardlink-to-symlink",
      "hardlink-unmodified",
      "parent-never-changes",
      "siblings-apart",
      "template-clone",
    ],
  },
  {
    flaw: "rounds modification times to seconds",
    create: copying(
      class extends TreeCopy {
        protected override times({ to, name, stat }: Copied): void {
          utimensat(to, name, { sec: stat.mtime.sec, nsec: 0 });
        }
      },
    ),
    fails: [
      "changes-exact",
      "changes-mounted-equals-unmounted",
      "changes-of-one-layer",
      "diff-of-one-layer",
      "diff-there-apply-here",
      "dir-mtime",
      "dir-mtime-restored",
      "empty-diff",
      "hardlink-parents",
      "mount-without-trace",
      "mtime-kept-on-metadata-change",
      "ns-mtime",
      "overwrite-across-second-boundary",
      "parents-included",
      "permission-only-change",
      "post-2038-mtime",
      "pre-1970-mtime",
      "size-agrees",
      "unchanged-rewrite-not-reported",
      "whiteout-parents",
    ],
  },
  {
    flaw: "leaves out names that are not UTF-8",
    create: copying(
      class extends TreeCopy {
        protected override names(directory: number): Buffer[] {
          return super.names(directory).filter((name) => Buffer.from(name.toString()).equals(name));
        }
      },
    ),
    fails: ["255-byte-names", "non-UTF8-names"],
  },
  {
    flaw: "follows symlinks when it copies: a child has the files that they point to",
    create: copying(
      class extends TreeCopy {
        protected override *entry(from: number, to: number, name: Buffer): Generator<void, void> {
          const path = `/proc/self/fd/${from}/${name}`;
          const isLink = (statx(from, name).mode & S_IFMT) === S_IFLNK;
          if (isLink && statSync(path, { throwIfNoEntry: false })?.isFile()) {
            copyFileSync(path, `/proc/self/fd/${to}/${name}`);
          } else yield* super.entry(from, to, name);
        }
      },
    ),
    fails: [
      "255-byte-names",
      "child-equals-parent",
      "chown-tree",
      "empty-diff",
      "hardlink-to-symlink",
      "long-symlink",
      "move-from-lower",
      "no-name-is-reserved",
      "non-UTF8-names",
      "odd-names",
      "rename-exchange",
      "rename-over-symlink",
      "size-agrees",
      "symlink-metadata",
      "symlinks-kept",
      "template-clone",
      "trusted-xattrs",
      "unchanged-rewrite-not-reported",
      "unicode-names",
      "write-through-symlink",
    ],
  },
];
