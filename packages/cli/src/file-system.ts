/** The type of the innermost mount that holds `path`; of two on one place, the upper. */
export async function fileSystemOf(path: string): Promise<string> {
  const { mountInfo } = await import("@strata/linux");
  const holding = mountInfo()
    .map(({ mountPoint, fstype }) => ({ fstype, dir: mountPoint.toString().replace(/\/$/, "") }))
    .filter(({ dir }) => path === dir || path.startsWith(`${dir}/`));
  const innermost = Math.max(...holding.map(({ dir }) => dir.length));
  return holding.findLast(({ dir }) => dir.length === innermost)?.fstype ?? "unknown";
}
