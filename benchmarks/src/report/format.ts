/** Three significant digits, thousands grouped: `0.0123`, `1.23`, `12,300`. */
export function formatNumber(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });
}

/** `870 ns`, `12.3 µs`, `4.56 ms`, `1.23 s`, `2 min 5 s`. */
export function formatMilliseconds(milliseconds: number): string {
  const nanoseconds = milliseconds * 1e6;
  if (nanoseconds < 999.5) return `${formatNumber(nanoseconds)} ns`;
  if (milliseconds < 0.9995) return `${formatNumber(milliseconds * 1000)} µs`;
  if (milliseconds < 999.5) return `${formatNumber(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 119.5) return `${formatNumber(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

const units = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Decimal: `512 B`, `13.3 kB`, `1.07 GB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Number(value.toPrecision(3)) >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${formatNumber(value)} ${units[unit]}`;
}

/** How many times as long, or as much: `0.25×`, `13.1×`. */
export function formatRatio(ratio: number): string {
  return `${ratio < 10 ? ratio.toFixed(2) : formatNumber(ratio)}×`;
}

/** `1.2 %` */
export function formatPercent(percent: number): string {
  return `${percent < 10 ? percent.toFixed(1) : formatNumber(percent)} %`;
}

/** `first, second and third` */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
