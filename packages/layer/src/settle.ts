import type { OverlayLayout } from "@strata/core";

/** What of an applied layer waits for the layers below it to be known. Plain data: it can be sent between threads. */
export interface Unresolved {
  readonly todo: readonly string[];
}

/** Finish a layer that was applied with `lowersLater`, now that `layout.lowers` are known and settled themselves. */
export function settleLayer(layout: OverlayLayout, unresolved: Unresolved): void {
  throw new Error(`${layout.dir}: ${unresolved.todo.length}`);
}
