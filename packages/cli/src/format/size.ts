const units = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];

/**
 * Bytes as docker prints them: decimal units, `digits` significant ones, no trailing zeros: `544MB`, `13.3kB`.
 * What rounds up to 1000 moves on to the next unit (docker prints `1e+03kB`).
 * @param digits - 3 in listings; 4 in totals and progress
 */
export function formatSize(bytes: number, digits = 3): string {
  let value = bytes;
  let unit = 0;
  while (Number(Math.abs(value).toPrecision(digits)) >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(digits))}${units[unit]}`;
}

const multiples: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * Read a size that a person typed: `1000`, `10GB`, `1.5g` (decimal), `512MiB` (binary).
 * @returns undefined, if it is not a size
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgtp])(i?))?b?$/i.exec(text.trim());
  if (!match) return undefined;
  const [, number, unit = "", binary] = match;
  const bytes = Number(number) * (binary ? 1024 : 1000) ** (multiples[unit.toLowerCase()] ?? 0);
  return Number.isSafeInteger(Math.round(bytes)) ? Math.round(bytes) : undefined;
}
