/** What one thing cost, measured several times. */
export interface Samples {
  readonly name: string;
  readonly milliseconds: number[];
  /** The most memory it ever had resident, each time. */
  readonly peakBytes: number[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  const lower = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** How long one took as a share of how long the other took, by their medians. */
export function ratio(ours: Samples, theirs: Samples): number {
  return median(ours.milliseconds) / median(theirs.milliseconds);
}
