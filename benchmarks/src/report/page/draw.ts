/** The script of the page of results: draws the plots that the page holds as JSON, each into the element of its id. */
import type Chart from "uplot";
import type { Axis, BarPlot, LinePlot, PageData, PageSubject, Plot, Strip } from "./plot.ts";

declare const uPlot: typeof Chart;

const data: PageData = JSON.parse(document.getElementById("plots")?.textContent ?? "");
const font = "12px system-ui, sans-serif";
const rowHeight = 22;
const dashes: readonly number[][] = [[], [7, 4], [2, 3], [10, 3, 2, 3]];
const charts = new Map<Element, Chart>();
const colours = new Map<string, string>();

/** A row of a chart with rows: a title, or what is drawn of a subject. */
interface Row {
  readonly label: string;
  readonly text: string;
  readonly draw?: (chart: Chart, y: number) => void;
}

/** A custom property, as it is now: itself it is not resolved by light-dark(), but by a property that takes a colour. */
function colour(name: string): string {
  const known = colours.get(name);
  if (known !== undefined) return known;
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(--${name})`;
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  colours.set(name, resolved);
  return resolved;
}

function subjectOf(index: number): PageSubject {
  return data.subjects[index] ?? { id: "", hue: 0, variant: 0 };
}

const hueOf = (index: number): string => colour(`hue-${subjectOf(index).hue}`);

function scaleOf({ log, from, to }: Axis): Chart.Scale {
  return { time: false, distr: log ? 3 : 1, range: () => [from, to] };
}

function axisOf(axis: Axis, scale: "x" | "y"): Chart.Axis {
  const vertical = scale === "y";
  return {
    scale,
    label: axis.label,
    labelFont: font,
    labelSize: 18,
    labelGap: 2,
    font,
    gap: 4,
    size: vertical ? widest(axis.ticks.map(({ text }) => text)) + 12 : 24,
    stroke: colour("dim"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
    splits: () => axis.ticks.map(({ at }) => at),
    filter: (_, splits) => splits,
    values: (chart) => (vertical ? axis.ticks.map(({ text }) => text) : apart(chart, axis)),
  };
}

/** The ticks' texts, but for those that would touch the one before. */
function apart(chart: Chart, { ticks }: Axis): string[] {
  let end = Number.NEGATIVE_INFINITY;
  return ticks.map(({ at, text }) => {
    const [middle, half] = [chart.valToPos(at, "x"), widest([text]) / 2];
    if (middle - half < end + 6) return "";
    end = middle + half;
    return text;
  });
}

function widest(texts: readonly string[]): number {
  const context = document.createElement("canvas").getContext("2d");
  if (context === null) return 0;
  context.font = font;
  return Math.ceil(Math.max(0, ...texts.map((text) => context.measureText(text).width)));
}

function lineChart(plot: LinePlot, width: number): [Chart.Options, Chart.AlignedData] {
  const series = plot.lines.map(({ subject }) => ({
    label: subjectOf(subject).id,
    stroke: hueOf(subject),
    width: 2,
    dash: dashes[subjectOf(subject).variant % dashes.length] ?? [],
    spanGaps: true,
    points: { show: true, size: 7, fill: hueOf(subject) },
  }));
  const options: Chart.Options = {
    width,
    height: 240,
    legend: { show: false },
    padding: [8, 14, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 10 } },
    scales: { x: scaleOf(plot.x), y: scaleOf(plot.y) },
    axes: [axisOf(plot.x, "x"), axisOf(plot.y, "y")],
    series: [{}, ...series],
    hooks: {
      drawSeries: [(chart, index) => drawIntervals(chart, plot, index - 1)],
      setCursor: [tooltip(plot)],
    },
  };
  const values = plot.lines.map(({ points }) => points.map((point) => point?.value ?? null));
  return [options, [[...plot.at], ...values]];
}

function drawIntervals(chart: Chart, { at, lines }: LinePlot, index: number): void {
  const line = lines[index];
  if (line === undefined) return;
  for (const [position, point] of line.points.entries()) {
    if (point?.from === undefined || point.to === undefined) continue;
    const x = chart.valToPos(at[position] ?? 0, "x", true);
    const [low, high] = [chart.valToPos(point.from, "y", true), chart.valToPos(point.to, "y", true)];
    clipped(chart, (context) => {
      context.strokeStyle = hueOf(line.subject);
      context.globalAlpha = 0.6;
      stroke(context, [x, low], [x, high]);
    });
  }
}

/** What is below the pointer, in figures. */
function tooltip({ lines, x }: LinePlot): (chart: Chart) => void {
  const box = document.createElement("div");
  box.className = "tooltip";
  return (chart) => {
    if (box.parentNode !== chart.over) chart.over.append(box);
    const { idx, left = -1 } = chart.cursor;
    box.hidden = idx === null || idx === undefined || left < 0;
    if (idx === null || idx === undefined || left < 0) return;
    const at = chart.data[0][idx];
    const named = lines.flatMap(({ subject, points }) => {
      const point = points[idx];
      return point ? [`${subjectOf(subject).id}: ${point.text}`] : [];
    });
    box.textContent = [`${x.label} ${x.ticks.find((tick) => tick.at === at)?.text ?? at}`, ...named].join(
      "\n",
    );
    const right = chart.valToPos(at ?? 0, "x") > chart.over.clientWidth / 2;
    box.style.left = right ? "0" : "auto";
    box.style.right = right ? "auto" : "0";
  };
}

/** Rows below one another over one axis: names to the left, figures to the right. */
function rowChart(axis: Axis, rows: readonly Row[], width: number): [Chart.Options, Chart.AlignedData] {
  const right = widest(rows.map(({ text }) => text)) + 10;
  const options: Chart.Options = {
    width,
    height: rows.length * rowHeight + 46,
    legend: { show: false },
    padding: [4, right, 0, 0],
    cursor: { show: false },
    scales: { x: scaleOf(axis), y: { time: false, dir: -1, range: () => [-0.5, rows.length - 0.5] } },
    axes: [
      axisOf(axis, "x"),
      {
        scale: "y",
        font,
        gap: 8,
        size: Math.min(widest(rows.map(({ label }) => label)) + 14, width / 2.4),
        stroke: colour("text"),
        grid: { show: false },
        ticks: { show: false },
        splits: () => rows.map((_, index) => index),
        filter: (_, splits) => splits,
        values: () => rows.map(({ label, draw }) => (draw === undefined ? "" : label)),
      },
    ],
    series: [{}, { show: false }],
    hooks: { draw: [(chart) => drawRows(chart, rows)] },
  };
  return [
    options,
    [
      [axis.from, axis.to],
      [null, null],
    ],
  ];
}

function drawRows(chart: Chart, rows: readonly Row[]): void {
  const { ctx: context, bbox } = chart;
  for (const [index, { label, text, draw }] of rows.entries()) {
    const y = chart.valToPos(index, "y", true);
    clipped(chart, () => draw?.(chart, y));
    context.save();
    context.font = `${draw === undefined ? "600 " : ""}${12 * uPlot.pxRatio}px system-ui, sans-serif`;
    context.fillStyle = colour("text");
    context.textAlign = "left";
    context.textBaseline = "middle";
    if (draw === undefined) context.fillText(label, 0, y);
    else context.fillText(text, bbox.left + bbox.width + 8 * uPlot.pxRatio, y);
    context.restore();
  }
}

function rowsOf(plot: Exclude<Plot, LinePlot>): Row[] {
  if (plot.kind === "bars") {
    return plot.bars.map((bar) => ({
      label: subjectOf(bar.subject).id,
      text: bar.text,
      draw: (chart, y) => drawBar(chart, y, bar),
    }));
  }
  return plot.groups.flatMap(({ title, strips }) => [
    ...(plot.groups.length > 1 ? [{ label: title, text: "" }] : []),
    ...strips.map((strip) => ({
      label: subjectOf(strip.subject).id,
      text: strip.text,
      draw: (chart: Chart, y: number) => drawStrip(chart, y, strip),
    })),
  ]);
}

function drawBar(chart: Chart, y: number, { subject, value, from, to }: BarPlot["bars"][number]): void {
  const { ctx: context, bbox } = chart;
  const half = 7 * uPlot.pxRatio;
  const end = chart.valToPos(value, "x", true);
  context.fillStyle = hueOf(subject);
  context.globalAlpha = subjectOf(subject).variant === 0 ? 0.85 : 0.45;
  context.fillRect(bbox.left, y - half, end - bbox.left, 2 * half);
  context.globalAlpha = 1;
  if (from === undefined || to === undefined) return;
  const [left, right] = [chart.valToPos(from, "x", true), chart.valToPos(to, "x", true)];
  context.strokeStyle = colour("text");
  stroke(context, [left, y], [right, y]);
  for (const x of [left, right]) stroke(context, [x, y - half / 2], [x, y + half / 2]);
}

function drawStrip(chart: Chart, y: number, { subject, samples, median }: Strip): void {
  const { ctx: context } = chart;
  const reach = 6 * uPlot.pxRatio;
  context.fillStyle = hueOf(subject);
  context.globalAlpha = samples.length > 50 ? 0.35 : 0.6;
  for (const [index, sample] of samples.entries()) {
    // The golden ratio spreads neighbours apart, the same way each time.
    const away = (((index * 0.618034) % 1) * 2 - 1) * reach;
    context.beginPath();
    context.arc(chart.valToPos(sample, "x", true), y + away, 2 * uPlot.pxRatio, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
  context.strokeStyle = colour("text");
  const x = chart.valToPos(median, "x", true);
  stroke(context, [x, y - 1.3 * reach], [x, y + 1.3 * reach], 2);
}

function stroke(
  context: CanvasRenderingContext2D,
  from: [number, number],
  to: [number, number],
  width = 1.5,
): void {
  context.lineWidth = width * uPlot.pxRatio;
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

/** Draw, but not beyond the plot's own area. */
function clipped({ ctx: context, bbox }: Chart, draw: (context: CanvasRenderingContext2D) => void): void {
  context.save();
  context.beginPath();
  context.rect(bbox.left - 4, bbox.top - 4, bbox.width + 8, bbox.height + 8);
  context.clip();
  draw(context);
  context.restore();
}

function drawAll(): void {
  colours.clear();
  for (const plot of data.plots) {
    const target = document.getElementById(plot.id);
    if (target === null) continue;
    charts.get(target)?.destroy();
    const [options, values] =
      plot.kind === "lines"
        ? lineChart(plot, target.clientWidth)
        : rowChart(plot.x, rowsOf(plot), target.clientWidth);
    charts.set(target, new uPlot(options, values, target));
  }
}

let width = document.body.clientWidth;
addEventListener("resize", () => {
  const changed = document.body.clientWidth !== width;
  width = document.body.clientWidth;
  if (changed) drawAll();
});
// Colours are on the canvas: a change of theme, or paper, takes others.
for (const query of ["(prefers-color-scheme: dark)", "print"]) {
  matchMedia(query).addEventListener("change", drawAll);
}
drawAll();
