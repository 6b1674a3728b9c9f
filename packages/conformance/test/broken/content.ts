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
            if (!existsSync(`${to.path}/${name}`)) execFileSync("cp", ["-a", `${older}/${name}`, to.path]);
          }
        }
      },
    ),
    fails: [
      "255-byte-names",
      "delete-everything",
      "delete-file",
      "delete-recreate-in-third-layer",
      "echo-at-every-depth",
      "no-name-is-reserved",
      "non-UTF8-names",
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
    fails: [],
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
    fails: [],
  },
  {
    flaw: "loses extended attributes in a child",
    create: copying(
      class extends TreeCopy {
        protected override xattrs(): void {}
      },
    ),
    fails: [],
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
    fails: [],
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
    fails: [],
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
    fails: [],
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
    fails: [],
  },
];
