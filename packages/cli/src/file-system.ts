/** The type of the file system that an absolute path lies on. */
export async function fileSystemOf(path: string): Promise<string> {
  const { mountHolding } = await import("@strata/linux");
  return mountHolding(path)?.fstype ?? "unknown";
}
