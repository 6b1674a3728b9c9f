import type { HistoryItem, ImageConfig } from "../documents.ts";

/**
 * The steps of a config, the oldest first, such that each layer has one: a tool that writes no history for some of
 * its layers gets steps without a description at the end.
 */
export function fullHistory({ history, rootfs, created }: ImageConfig): HistoryItem[] {
  const items = history ?? [];
  const described = items.filter((item) => !item.empty_layer).length;
  const rest = (rootfs.diff_ids ?? []).slice(described).map((): HistoryItem => ({ created }));
  return [...items, ...rest];
}
