import type { OverlayLayout } from "@strata/core";
import type { Attributes } from "./apply/attributes.ts";
import { Settlement } from "./settle/settlement.ts";

/**
 * What of an applied layer waits for the layers below it to be known. Plain data: it can be sent between threads.
 * Paths are `latin1` strings, one character a byte, from the layer's root and without symlinks.
 */
export interface Unresolved {
  /** Directories that the layer has no entry for: they take the attributes of the ones below. Parents first. */
  readonly parents: readonly string[];
  /** Names marked as deleted. Where nothing is below, the mark must go: it would show as a broken entry. */
  readonly whiteouts: readonly string[];
  readonly links: readonly UnresolvedLink[];
  /** The root hides all that is below it, which overlayfs has no mark for. */
  readonly opaqueRoot: boolean;
}

/** A hard link to a file that the layer does not have itself. */
export interface UnresolvedLink {
  readonly path: string;
  /** Of the file that holds its place. */
  readonly ino: bigint;
  /** As in the archive, but cleaned; there may be symlinks in it. */
  readonly target: string;
  /** What the link's own entry says. */
  readonly attributes: Attributes;
}

export const nothingUnresolved: Unresolved = { parents: [], whiteouts: [], links: [], opaqueRoot: false };

/**
 * Finish a layer that was applied with `lowersLater`, now that `layout.lowers` are known, and settled themselves:
 * directories that have no entry take the attributes of those below, hard links to files below get a copy of them to
 * link to, and whiteouts of nothing go.
 *
 * Cost: some system calls for each of these; and a walk through the layers below for a link to a file that has several
 * names there, since all of them have to remain one file.
 * @throws StrataError `InvalidArgument`, if there is nothing to link to
 */
export function settleLayer(layout: OverlayLayout, unresolved: Unresolved): void {
  using settlement = new Settlement(layout);
  if (unresolved.opaqueRoot) settlement.hideAllBelow();
  settlement.removeIdleWhiteouts(unresolved.whiteouts);
  for (const link of unresolved.links) settlement.link(link);
  settlement.adoptAttributes(unresolved.parents);
}
