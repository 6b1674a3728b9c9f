import type { Plot } from "../page/plot.ts";

/** Plots that belong together, with what is said about them. */
export interface Figure {
  readonly title: string;
  /** What is compared, in words, and which way is better. */
  readonly caption: string;
  readonly plots: readonly Plot[];
  /** Indices of the subjects in it. */
  readonly subjects: readonly number[];
  /** The numbers that are drawn, the first row being the heading. */
  readonly numbers: readonly (readonly string[])[];
  /** What else the host did meanwhile. */
  readonly disturbances: readonly string[];
}

/** The figures of a workload. */
export interface Chapter {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  /** How one thing depends on another. */
  readonly trends: readonly Figure[];
  /** Case by case. */
  readonly cases: readonly Figure[];
}
