/** How docker writes that a time is not known. */
export const zeroTime = "0001-01-01T00:00:00Z";

/** A time from a config, RFC 3339; {@link zeroTime}, if there is none or it cannot be read. */
export function timeOf(text: string | null | undefined): string {
  return text && !Number.isNaN(Date.parse(text)) ? text : zeroTime;
}
