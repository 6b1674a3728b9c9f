import { groupBy, throughputOf, writtenBytesOf } from "../../results/cases.ts";
import type { Measurement } from "../../results/schema.ts";
import { intervalOf } from "../../results/spread.ts";
import { formatBytes, formatMilliseconds, formatNumber } from "../format.ts";
import type { Axis, Line, PageSubject, Point } from "../page/plot.ts";
import { linearAxis, logAxis, parameterAxis, sizeUnit, timeUnit, type Unit } from "./axis.ts";
import type { Figure } from "./figure.ts";
import { parameterLabel, parametersText, parameterText } from "./words.ts";

const leastSpan = 6;

/** A figure, and its interval. */
interface Value {
  readonly value: number;
  readonly from?: number;
  readonly to?: number;
}

/** What is shown of measurements. */
interface Quantity {
  readonly title: string;
  readonly caption: string;
  readonly of: (measurement: Measurement) => Value | undefined;
  readonly textOf: (value: number) => string;
  readonly axis: (
    values: readonly number[],
    most: number,
  ) => { readonly axis: Axis; readonly factor: number };
}

const cost: Quantity = {
  title: "time",
  caption: "Median time, with its 95 % interval; lower is better.",
  of: ({ rounds, statistics }) => {
    const interval = intervalOf(rounds, 95);
    return {
      value: statistics.medianMilliseconds,
      ...(interval && { from: interval.from, to: interval.to }),
    };
  },
  textOf: formatMilliseconds,
  axis: logAxisIn(timeUnit),
};

const written: Quantity = {
  title: "written to disk",
  caption: "What the block device wrote for each, sync included; lower is better.",
  of: (measurement) => {
    const value = writtenBytesOf(measurement);
    return value === undefined || value <= 0 ? undefined : { value };
  },
  textOf: formatBytes,
  axis: logAxisIn(sizeUnit),
};

function logAxisIn(unitOf: (values: readonly number[]) => Unit): Quantity["axis"] {
  return (values) => {
    const { name, factor } = unitOf(values);
    const scaledValues = values.map((value) => value * factor);
    return { axis: logAxis(name, scaledValues, leastSpan), factor };
  };
}

/** The first of these that a measurement has. */
const throughputs: readonly Quantity[] = [
  throughput("MB/s", 1e-6, (measurement) => throughputOf(measurement).bytes),
  throughput("files/s", 1, (measurement) => throughputOf(measurement).files),
  throughput("a second", 1, ({ threads, statistics }) => (threads * 1000) / statistics.medianMilliseconds),
];

function throughput(
  name: string,
  factor: number,
  of: (measurement: Measurement) => number | undefined,
): Quantity {
  return {
    title: "throughput",
    caption: "Of all threads together; higher is better.",
    of: (measurement) => {
      const value = of(measurement);
      return value === undefined ? undefined : { value };
    },
    textOf: (value) => `${formatNumber(value * factor)} ${name}`,
    axis: (_, most) => ({ axis: linearAxis(name, most * factor), factor }),
  };
}

/** How throughput goes with threads, and time and bytes written with each number that cases vary in. */
export function trendFigures(
  measurements: readonly Measurement[],
  subjects: readonly PageSubject[],
  nextId: () => string,
): Figure[] {
  const names = new Set(measurements.flatMap(({ parameters }) => Object.keys(parameters)));
  names.delete("threads");
  const trends = [
    { name: "threads", quantities: [undefined] },
    ...[...names].map((name) => ({ name, quantities: [cost, written] })),
  ];
  return trends.flatMap(({ name, quantities }) => {
    // Where a case has a parameter of that name, one thread had others work for it.
    const positionOf = ({ parameters, threads }: Measurement) =>
      parameters[name] ?? (name === "threads" ? threads : undefined);
    const varied = measurements.filter((each) => typeof positionOf(each) === "number");
    const groups = groupBy(varied, ({ parameters, operation, threads }) => {
      const { threads: _, [name]: __, ...others } = parameters;
      return JSON.stringify([operation, name === "threads" ? 0 : threads, others]);
    });
    return [...groups.values()].flatMap((group) =>
      quantities.flatMap((quantity) => {
        const chosen =
          quantity ?? throughputs.find(({ of }) => group.every((each) => of(each) !== undefined));
        const figure = chosen && trendFigure(name, group, chosen, positionOf, subjects, nextId);
        return figure ?? [];
      }),
    );
  });
}

function trendFigure(
  name: string,
  group: readonly Measurement[],
  quantity: Quantity,
  positionOf: (measurement: Measurement) => unknown,
  subjects: readonly PageSubject[],
  nextId: () => string,
): Figure | undefined {
  const measured = group.filter((each) => quantity.of(each) !== undefined);
  const at = [...new Set(measured.map(positionOf).filter((value) => typeof value === "number"))].toSorted(
    (a, b) => a - b,
  );
  const [first] = measured;
  if (at.length < 2 || first === undefined) return undefined;

  const values = measured.map((each) => quantity.of(each)?.value ?? 0);
  const { axis: y, factor } = quantity.axis(values, Math.max(...values));
  const present = subjects.flatMap(({ id }, subject) =>
    measured.some((each) => each.subject === id) ? [{ id, subject }] : [],
  );
  const lines = present.map(({ id, subject }): Line => {
    const points = at.map((position): Point | null => {
      const measurement = measured.find((each) => each.subject === id && positionOf(each) === position);
      const value = measurement && quantity.of(measurement);
      return value === undefined ? null : scaled(value, factor, quantity.textOf);
    });
    return { subject, points };
  });
  const { threads: _, [name]: __, ...others } = first.parameters;
  const label = parameterLabel(name);
  const x = parameterAxis(label, at, (value) => parameterText(name, value));
  const title = `${first.operation}: ${quantity.title} by ${label}`;
  const rest = parametersText(others);
  const heading = [label, ...present.map(({ id }) => id)];
  const rows = at.map((position, index) => [
    parameterText(name, position),
    ...lines.map(({ points }) => points[index]?.text ?? ""),
  ]);
  return {
    title,
    caption: [rest === "" ? "" : `With ${rest}.`, quantity.caption].join(" ").trim(),
    plots: [{ kind: "lines", id: nextId(), description: title, x, y, at, lines }],
    subjects: present.map(({ subject }) => subject),
    numbers: [heading, ...rows],
    disturbances: measured.some(({ disturbances }) => disturbances.length > 0)
      ? ["the host did something else meanwhile; see case by case"]
      : [],
  };
}

function scaled({ value, from, to }: Value, factor: number, textOf: (value: number) => string): Point {
  return {
    value: value * factor,
    text: textOf(value),
    ...(from !== undefined && to !== undefined && { from: from * factor, to: to * factor }),
  };
}
