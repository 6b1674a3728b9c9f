import { benchPage } from "@strata/benchmarks";
import { missingFacilities } from "@strata/conformance/suite";
import { describe, expect, it } from "vitest";
import { chaptersOf } from "../src/report/plots/chapters.ts";
import { openInBrowser } from "./support/browser.ts";
import { madeResults } from "./support/made-results.ts";

const results = madeResults({ advice: "Use <this> & that." });

describe("the page of results", () => {
  it("needs nothing else", () => {
    const page = benchPage(results);
    expect(page).toContain("default-src 'none'");
    expect(page.match(/<(?:script|link|img|iframe)[^>]*(?:src|href)=/g)).toBeNull();
  });

  it("says what was measured, where, and what is missing", () => {
    const page = benchPage(results);
    expect(page).toContain("Use &lt;this&gt; &amp; that.");
    expect(page).toContain("build-7, Linux 6.18.1");
    expect(page).toContain("umoci is not installed");
    expect(page).toContain("page cache warm");
    expect(page).toContain("the load average was 3.2");
  });

  it("has the results in it, whatever is in their texts", () => {
    const odd = madeResults({
      missing: [{ id: "x", kind: "peer", reason: "</script><script>alert(1)</script>" }],
    });
    const page = benchPage(odd);
    expect(page).not.toContain("<script>alert(1)");
    const [, json = ""] = /id="results">(.*?)<\/script>/s.exec(page) ?? [];
    expect(JSON.parse(json)).toEqual(odd);
  });

  it("has a caption, a legend and the numbers with each figure", () => {
    const page = benchPage(results);
    const figures = page.split("<figure>").slice(1);
    expect(figures.length).toBeGreaterThan(20);
    for (const figure of figures) {
      expect(figure).toMatch(/<figcaption><h4>[^<]+<\/h4><p>[^<]+<\/p>/);
      expect(figure).toMatch(/aria-label="Legend"><li>/);
      expect(figure).toMatch(/<details><summary>Numbers<\/summary>.*<td/s);
      expect(figure).toMatch(/role="img" aria-label="[^"]+"/);
    }
  });
});

describe("what is plotted", () => {
  const chapters = chaptersOf(results);
  const titlesOf = (name: string) =>
    chapters.find((chapter) => chapter.name === name)?.trends.map(({ title }) => title);

  it("is throughput against threads, in one thread that lets others work too", () => {
    expect(titlesOf("hashing")).toEqual(["hash: throughput by threads"]);
    expect(titlesOf("apply")).toEqual(["apply: throughput by threads"]);
  });

  it("is cost against depth and store size", () => {
    expect(titlesOf("lifecycle")).toEqual([
      "prepare: time by depth",
      "mount: time by depth",
      "remove: time by depth",
      "prepare: time by snapshots",
      "mount: time by snapshots",
      "remove: time by snapshots",
    ]);
  });

  it("is the time of a copy-up, and what it writes, against the size of the file", () => {
    expect(titlesOf("copy-up")).toEqual([
      "first byte: time by file size",
      "first byte: written to disk by file size",
    ]);
  });

  it("is each case's samples, and bars where there are peers", () => {
    const load = chapters.find(({ name }) => name === "store")?.cases[0];
    expect(load?.plots.map(({ kind }) => kind)).toEqual(["bars", "strips"]);
    const [bars] = load?.plots ?? [];
    if (bars?.kind !== "bars") throw new Error("no bars");
    expect(bars.bars).toHaveLength(4);
    for (const { value, from, to } of bars.bars) {
      expect(from).toBeLessThan(value);
      expect(to).toBeGreaterThan(value);
    }
  });

  it("has a subject in the same colour everywhere, and a driver's on all file systems", () => {
    const { measurements, subjects } = results;
    const [first] = subjects;
    if (first === undefined) throw new Error("no subjects");
    const loop = { ...first, id: "overlay2 on xfs (loop)" };
    const page = benchPage(
      madeResults({
        subjects: [...subjects, loop],
        measurements: [
          ...measurements,
          ...measurements.slice(0, 1).map((each) => ({ ...each, subject: loop.id })),
        ],
      }),
    );
    const swatches = new Set(page.match(/<i class="swatch[^>]*><\/i>(?:<[^>]*>)?overlay2[^<]*/g));
    expect([...swatches].toSorted()).toEqual([
      '<i class="swatch variant-0" style="border-color:var(--hue-0)"></i>overlay2',
      '<i class="swatch variant-1" style="border-color:var(--hue-0)"></i>overlay2 on xfs (loop)',
    ]);
  });
});

const missing = missingFacilities(["chromium"]);
const itInBrowser = it.skipIf(missing.length > 0 && !process.env["CI"]);
const inBrowser = (what: string) =>
  missing.length === 0 ? what : `${what} (missing here: ${missing.join(", ")})`;

describe("in a browser", () => {
  for (const width of [1300, 500]) {
    itInBrowser(inBrowser(`draws every plot at ${width} pixels, without an error or a request`), async () => {
      const { plots, errors, requests, scrollsSideways } = await openInBrowser(benchPage(results), width);
      const expected = chaptersOf(results).flatMap(({ trends, cases }) =>
        [...trends, ...cases].flatMap((figure) => figure.plots.map(({ id }) => id)),
      );
      expect(plots.map(({ id }) => id)).toEqual(expected);
      expect(plots.filter(({ painted }) => !painted)).toEqual([]);
      expect(plots.filter(({ width: drawn, height }) => drawn < 300 || height < 60)).toEqual([]);
      expect(errors).toEqual([]);
      expect(requests).toEqual([]);
      expect(scrollsSideways).toBe(false);
    });
  }
});
