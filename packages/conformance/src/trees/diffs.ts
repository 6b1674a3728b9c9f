import type { LayerLayout } from "@strata/core";
import { changes, type DiffOptions, diff } from "@strata/layer";

/** The archive of what a layer changes. */
export async function readDiff(layout: LayerLayout, options: DiffOptions = {}): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of diff(layout, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What a layer changes, as docker prints it: `A path`, `C path`, `D path`; the root is `.`. */
export async function listChanges(layout: LayerLayout): Promise<string[]> {
  const letters = { added: "A", modified: "C", deleted: "D" };
  const lines: string[] = [];
  for await (const { path, kind } of changes(layout)) {
    lines.push(`${letters[kind]} ${path.length === 0 ? "." : path.toString("latin1")}`);
  }
  return lines;
}
