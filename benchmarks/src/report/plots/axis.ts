import { formatNumber } from "../format.ts";
import type { Axis } from "../page/plot.ts";

/** What figures are shown in. */
export interface Unit {
  readonly name: string;
  /** A figure, times this, is in the unit. */
  readonly factor: number;
}

const times: readonly Unit[] = [
  { name: "µs", factor: 1000 },
  { name: "ms", factor: 1 },
  { name: "s", factor: 0.001 },
];
const sizes: readonly Unit[] = [
  { name: "B", factor: 1 },
  { name: "kB", factor: 1e-3 },
  { name: "MB", factor: 1e-6 },
  { name: "GB", factor: 1e-9 },
];

/** Of figures in milliseconds: the one in which the typical one is at least 1. */
export function timeUnit(milliseconds: readonly number[]): Unit {
  return fitting(times, milliseconds);
}

/** Of figures in bytes: the one in which the typical one is at least 1. */
export function sizeUnit(bytes: readonly number[]): Unit {
  return fitting(sizes, bytes);
}

function fitting(units: readonly Unit[], figures: readonly number[]): Unit {
  const positive = figures.filter((figure) => figure > 0);
  const logarithms = positive.reduce((sum, figure) => sum + Math.log(figure), 0);
  const typical = positive.length === 0 ? 1 : Math.exp(logarithms / positive.length);
  const [smallest = { name: "", factor: 1 }] = units;
  return units.findLast(({ factor }) => typical * factor >= 1) ?? smallest;
}

/** From 0 to a round number above `most`. */
export function linearAxis(label: string, most: number): Axis {
  const step = roundStep((most || 1) / 4);
  const count = Math.max(1, Math.ceil((most / step) * (1 - 1e-9)));
  const ticks = Array.from({ length: count + 1 }, (_, index) => tick(index * step));
  return { label, log: false, from: 0, to: count * step, ticks };
}

/**
 * Around all of the figures, which are above 0: logarithmic, with ticks where they tell something.
 * @param leastSpan - the end is at least so many times the beginning: noise is not to look like a slope
 */
export function logAxis(label: string, figures: readonly number[], leastSpan = 1.1): Axis {
  const [low, high] = [Math.min(...figures), Math.max(...figures)];
  const margin = Math.max((high / low) ** 0.04, Math.sqrt(leastSpan / (high / low)));
  const [from, to] = [low / margin, high * margin];
  return { label, log: true, from, to, ticks: logTicks(from, to).map(tick) };
}

function logTicks(from: number, to: number): number[] {
  const decades = Math.log10(to / from);
  if (decades < 0.7) {
    const step = roundStep((to - from) / 6);
    const first = Math.ceil(from / step);
    return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, index) => (first + index) * step);
  }
  const mantissas = decades < 1.5 ? [1, 2, 5] : decades < 3 ? [1, 3] : [1];
  const ticks: number[] = [];
  for (let exponent = Math.floor(Math.log10(from)); exponent <= Math.log10(to); exponent++) {
    ticks.push(...mantissas.map((mantissa) => mantissa * 10 ** exponent));
  }
  return ticks.filter((at) => at >= from && at <= to);
}

/** 1, 2 or 5 times a power of ten, at least `step`. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return ([1, 2, 5, 10].find((mantissa) => mantissa * power >= step * (1 - 1e-9)) ?? 10) * power;
}

function tick(at: number): Axis["ticks"][number] {
  return { at, text: formatNumber(at) };
}

/** With a tick at each of the values; logarithmic, where they are far apart. */
export function parameterAxis(
  label: string,
  values: readonly number[],
  textOf: (value: number) => string,
): Axis {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const ticks = values.map((at) => ({ at, text: textOf(at) }));
  if (low > 0 && high / low >= 6) {
    const margin = (high / low) ** 0.05;
    return { label, log: true, from: low / margin, to: high * margin, ticks };
  }
  const margin = (high - low) * 0.06;
  return { label, log: false, from: low - margin, to: high + margin, ticks };
}
