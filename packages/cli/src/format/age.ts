/** How long `seconds` are, in docker's words: `Less than a second`, `About an hour`, `3 weeks`. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return "Less than a second";
  if (seconds < 2) return "1 second";
  if (seconds < 60) return `${Math.floor(seconds)} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(seconds / 3600 + 0.5);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  const days = Math.floor(hours / 24);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(Math.floor(seconds / 3600) / 24 / 365)} years`;
}

/**
 * How long ago a moment was: `2 weeks ago`; `N/A`, if it is not known (Go's zero time, or no time at all).
 * @param created - RFC 3339
 */
export function formatAge(created: string, now = Date.now()): string {
  const then = Date.parse(created);
  if (Number.isNaN(then) || created.startsWith("0001-01-01T00:00:00")) return "N/A";
  return `${formatDuration((now - then) / 1000)} ago`;
}

/** A moment as docker prints it without a time zone of its own: `2026-11-21 12:02:47 +0000 UTC`. */
export function formatMoment(created: string): string {
  const then = Date.parse(created);
  if (Number.isNaN(then)) return "N/A";
  return `${new Date(then).toISOString().slice(0, 19).replace("T", " ")} +0000 UTC`;
}
