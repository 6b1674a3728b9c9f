/** What the page's script draws. Everything is worked out before: it only puts it on a canvas. */
export interface PageData {
  /** In the order that `subject` counts in. */
  readonly subjects: readonly PageSubject[];
  readonly plots: readonly Plot[];
}

export interface PageSubject {
  readonly id: string;
  /** Of the page's colours `--hue-0`, `--hue-1`, ... */
  readonly hue: number;
  /** Tells those of the same hue apart: 0 is a solid line. */
  readonly variant: number;
}

export type Plot = LinePlot | BarPlot | StripPlot;

/** Of the element that it is drawn into. */
interface Drawn {
  readonly id: string;
  /** What it shows, for who cannot see it. */
  readonly description: string;
}

export interface Axis {
  readonly label: string;
  readonly log: boolean;
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

/** How one thing depends on another. */
export interface LinePlot extends Drawn {
  readonly kind: "lines";
  readonly x: Axis;
  readonly y: Axis;
  /** Rising. */
  readonly at: readonly number[];
  readonly lines: readonly Line[];
}

export interface Line {
  readonly subject: number;
  /** For each of `at`; null, if it was not measured there. */
  readonly points: readonly (Point | null)[];
}

export interface Point {
  readonly value: number;
  readonly text: string;
  /** Its interval, where there is one. */
  readonly from?: number;
  readonly to?: number;
}

/** One bar a subject, each with its interval. */
export interface BarPlot extends Drawn {
  readonly kind: "bars";
  readonly x: Axis;
  readonly bars: readonly (Point & { readonly subject: number })[];
}

/** The samples themselves, by operation and subject. */
export interface StripPlot extends Drawn {
  readonly kind: "strips";
  readonly x: Axis;
  readonly groups: readonly { readonly title: string; readonly strips: readonly Strip[] }[];
}

export interface Strip {
  readonly subject: number;
  readonly samples: readonly number[];
  readonly median: number;
  readonly text: string;
}
