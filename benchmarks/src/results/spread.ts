import type { MeasuredRound } from "./schema.ts";

/** What a measurement comes to, and how sure that is. Logarithms of milliseconds. */
export interface Spread {
  readonly mean: number;
  /** Of the mean: its standard error, squared. */
  readonly variance: number;
  /** How many values it rests on, less one. */
  readonly freedom: number;
}

/** A range, and what is most likely in it. */
export interface Estimate {
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

/**
 * The median of each round is one value: samples of the same round share what the host did just then, so counting each
 * of them would make everything look surer than it is. Where there is one round only, its samples are the values, and
 * what changes from round to round stays unseen. Source: T. Kalibera and R. Jones, Rigorous Benchmarking in Reasonable
 * Time (ISMM 2013), section 5: the interval is made of the highest level that was repeated.
 *
 * Of logarithms, since times are skewed to the right and are compared by ratio.
 */
export function spreadOf(rounds: readonly MeasuredRound[]): Spread {
  const [only] = rounds;
  const values = (
    rounds.length === 1 && only !== undefined
      ? only.samplesMilliseconds
      : rounds.map(({ samplesMilliseconds }) => median(samplesMilliseconds))
  ).map((value) => Math.log(Math.max(value, Number.MIN_VALUE)));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const freedom = values.length - 1;
  return { mean, variance: freedom > 0 ? squares / freedom / values.length : Number.NaN, freedom };
}

/**
 * A round's typical median, in milliseconds.
 * @returns undefined, if it was measured once only
 */
export function intervalOf(rounds: readonly MeasuredRound[], confidence: Confidence): Estimate | undefined {
  const { mean, variance, freedom } = spreadOf(rounds);
  return freedom > 0 ? around(mean, variance, freedom, confidence) : undefined;
}

/**
 * How many times as long `b` takes as `a`, by Welch's interval for the difference of two means (of logarithms) with
 * unequal variances. A rank test or a bootstrap would assume less, but of three rounds each, which is what a long case
 * has, no rank test can reach 95 %, and a bootstrap's interval is far too narrow. Source: B. L. Welch, Biometrika 34
 * (1947), 28-35; NIST/SEMATECH e-Handbook of Statistical Methods, section 7.3.1.
 * @returns undefined, if one of them was measured once only
 */
export function ratioOf(
  a: readonly MeasuredRound[],
  b: readonly MeasuredRound[],
  confidence: Confidence,
): Estimate | undefined {
  const [first, second] = [spreadOf(a), spreadOf(b)];
  if (first.freedom < 1 || second.freedom < 1) return undefined;
  const variance = first.variance + second.variance;
  const freedom =
    variance === 0
      ? first.freedom + second.freedom
      : variance ** 2 / (first.variance ** 2 / first.freedom + second.variance ** 2 / second.freedom);
  return around(second.mean - first.mean, variance, freedom, confidence);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}

function around(mean: number, variance: number, freedom: number, confidence: Confidence): Estimate {
  const half = studentsT(freedom, confidence) * Math.sqrt(variance);
  return { value: Math.exp(mean), from: Math.exp(mean - half), to: Math.exp(mean + half) };
}

/** In percent, of two-sided intervals. */
export type Confidence = 95 | 99;

/** Two-sided critical values for 1, 2, 3, ... degrees of freedom. Source: NIST e-Handbook, section 1.3.6.7.2. */
const criticalValues: Readonly<Record<Confidence, readonly number[]>> = {
  95: [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  ],
  99: [
    63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.25, 3.169, 3.106, 3.055, 3.012, 2.977, 2.947,
  ],
};
const normal: Readonly<Record<Confidence, number>> = { 95: 1.96, 99: 2.576 };

/** Between whole degrees of freedom, and beyond the table, it goes about as their reciprocal. */
function studentsT(freedom: number, confidence: Confidence): number {
  const values = criticalValues[confidence];
  const known = Math.min(Math.max(Math.floor(freedom), 1), values.length);
  const [below = Number.NaN, above] = values.slice(known - 1, known + 1);
  // Of infinitely many degrees of freedom, it is the normal distribution's.
  const [next, end] = above === undefined ? [Infinity, normal[confidence]] : [known + 1, above];
  return below + ((end - below) * (1 / known - 1 / Math.max(freedom, 1))) / (1 / known - 1 / next);
}
