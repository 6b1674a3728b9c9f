/**
 * What to note as an image's time of creation: now, or, where builds must be reproducible, the seconds in
 * `SOURCE_DATE_EPOCH`. RFC 3339.
 * @see https://reproducible-builds.org/specs/source-date-epoch/
 */
export function creationTime(): string {
  const epoch = process.env["SOURCE_DATE_EPOCH"];
  const date = epoch !== undefined && /^\d{1,12}$/.test(epoch) ? new Date(Number(epoch) * 1000) : new Date();
  return date.toISOString();
}
