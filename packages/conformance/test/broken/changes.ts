import { execFileSync } from "node:child_process";
import { lstatSync } from "node:fs";
import type { LayerLayout, PlainLayout } from "@strata/core";
import type { Entry } from "../memory/entry.ts";
import { MemoryDriver } from "../memory/memory-driver.ts";
import { type Tree, Trees } from "../memory/trees.ts";
import { type BrokenDriver, driving, keeping } from "./broken-driver.ts";

/** Drivers that tell their changes wrong. */
export const changes: readonly BrokenDriver[] = [
  {
    flaw: "misses an edit that leaves size and time as they were",
    create: keeping(
      class extends Trees {
        override layout(tree: Tree, base: Tree | undefined): PlainLayout {
          const layout = super.layout(tree, base);
          if (base === undefined) return layout;
          return { ...layout, touched: () => touchedByTime(tree.path, base.path) };
        }
      },
    ),
    fails: [
      "changes-exact",
      "changes-mounted-equals-unmounted",
      "diff-apply-roundtrip",
      "diff-here-apply-there",
      "diff-there-apply-here",
      "no-redundant-whiteouts",
      "same-size-same-mtime-edit",
    ],
  },
  {
    flaw: "gives its parent's parent for its parent",
    create: driving(
      class extends MemoryDriver {
        override layoutOf(entry: Entry): LayerLayout {
          const base = entry.parent?.parent ?? entry.parent;
          return this.trees.layout(entry.tree, base?.tree);
        }
      },
    ),
    fails: ["changes-of-one-layer", "diff-of-one-layer", "echo-at-every-depth", "layout-leads-to-parents"],
  },
];

async function* touchedByTime(dir: string, base: string): AsyncGenerator<Buffer> {
  for (const tree of [dir, base]) {
    for (const path of pathsIn(tree)) {
      const [now, before] = [dir, base].map((each) =>
        lstatSync(Buffer.concat([Buffer.from(`${each}/`), path]), { bigint: true, throwIfNoEntry: false }),
      );
      const same = now?.isFile() && now.size === before?.size && now.mtimeNs === before?.mtimeNs;
      if (!same || now?.mode !== before?.mode) yield path;
    }
  }
}

function* pathsIn(tree: string): Generator<Buffer> {
  const found = execFileSync("find", [tree, "-mindepth", "1", "-printf", "%P\\0"], { maxBuffer: 2 ** 28 });
  for (let at = 0; at < found.length; ) {
    const end = found.indexOf(0, at);
    yield found.subarray(at, end);
    at = end + 1;
  }
}
