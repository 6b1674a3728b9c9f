/** How docker shows an ID, or a digest, to people: its first 12 hex digits. */
export function shortId(id: string): string {
  return id.replace("sha256:", "").slice(0, 12);
}
