import { describe, expect, it } from "vitest";
import { formatAge, formatDuration, formatMoment } from "../src/format/age.ts";
import { alignColumns } from "../src/format/columns.ts";
import { formatListing } from "../src/format/listing.ts";
import { formatSize, parseSize } from "../src/format/size.ts";
import { ellipsis, escapeControls, shortId } from "../src/format/text.ts";
import { progressBar } from "../src/progress/bar.ts";
import { Row } from "../src/template/values.ts";

describe("sizes, as docker 20.10 prints them", () => {
  it.each([
    [0, "0B"],
    [1, "1B"],
    [999, "999B"],
    [1000, "1kB"],
    [1234, "1.23kB"],
    [9995, "9.99kB"],
    [13_256, "13.3kB"],
    [123_456, "123kB"],
    [1_048_576, "1.05MB"],
    [9_995_000, "9.99MB"],
    [99_999_999, "100MB"],
    [544_000_000, "544MB"],
    [1_000_000_000, "1GB"],
    [1_500_000_000, "1.5GB"],
    [1_000_000_000_000, "1TB"],
    // Docker's 1e+03kB
    [999_999, "1MB"],
  ])("%d is %s", (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it("has four digits in totals", () => {
    expect([formatSize(12_345_678, 4), formatSize(435_500_000, 4)]).toEqual(["12.35MB", "435.5MB"]);
  });

  it.each([
    ["0", 0],
    ["1000", 1000],
    ["10GB", 10e9],
    ["1.5g", 1.5e9],
    ["64 KiB", 65_536],
    ["512MiB", 512 * 2 ** 20],
    ["3b", 3],
    ["", undefined],
    ["GB", undefined],
    ["-1", undefined],
    ["1e9", undefined],
    ["10XB", undefined],
    ["99999999PB", undefined],
  ])("reads %j as %s", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });
});

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

describe("ages, as docker 20.10 prints them", () => {
  it.each([
    [-5, "Less than a second"],
    [0.9, "Less than a second"],
    [1, "1 second"],
    [2, "2 seconds"],
    [59, "59 seconds"],
    [60, "About a minute"],
    [119, "About a minute"],
    [120, "2 minutes"],
    [59 * minute, "59 minutes"],
    [hour, "About an hour"],
    [1.49 * hour, "About an hour"],
    [1.5 * hour, "2 hours"],
    [47 * hour, "47 hours"],
    [48 * hour, "2 days"],
    [13 * day, "13 days"],
    [14 * day, "2 weeks"],
    [59 * day, "8 weeks"],
    [60 * day, "2 months"],
    [729 * day, "24 months"],
    [730 * day, "2 years"],
    [1200 * day, "3 years"],
  ])("%d s are %s", (seconds, words) => {
    expect(formatDuration(seconds)).toBe(words);
  });

  it("is not known for Go's zero time and for none", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    expect(formatAge("2025-12-31T23:59:00.5Z", now)).toBe("59 seconds ago");
    expect(formatAge("1970-01-01T00:00:00Z", now)).toBe("56 years ago");
    expect(formatAge("0001-01-01T00:00:00Z", now)).toBe("N/A");
    expect(formatAge("", now)).toBe("N/A");
    expect(formatMoment("2026-11-21T12:02:47.9+01:00")).toBe("2026-11-21 11:02:47 +0000 UTC");
  });
});

describe("tables", () => {
  it("has columns of at least 10, padded by 3", () => {
    expect(alignColumns(["A\tB\tC", "longer than\tx\tlast", "é\t\t"])).toEqual([
      "A             B         C",
      "longer than   x         last",
      "é                       ",
    ]);
  });

  it("ends a column where a line lacks it", () => {
    expect(alignColumns(["aaaaaaaaaaaa\tb\tx", "no tab", "c\td\ty"])).toEqual([
      "aaaaaaaaaaaa   b         x",
      "no tab",
      "c         d         y",
    ]);
  });

  const listing = {
    typeName: "*formatter.thingContext",
    table: "{{.ID}}\\t{{.Size}}",
    headings: { ID: "THING ID", Size: "SIZE", Name: "NAME" },
  };
  const rows = [new Row(listing.typeName, { ID: () => "a", Size: () => "1B", Name: () => "X" })];

  it.each([
    [undefined, ["THING ID   SIZE", "a          1B"]],
    ["table", ["THING ID   SIZE", "a          1B"]],
    ["table {{.Name}}\\t{{.ID}}", ["NAME      THING ID", "X         a"]],
    ["table {{lower .Name}}|{{json .ID}}", ["NAME|THING ID", 'x|"a"']],
    ["{{.Name}}\\t{{.ID}}\\n", ["X\ta\n"]],
    ["json", ['{"ID":"a","Name":"X","Size":"1B"}']],
    ["{{json .}}", ['{"ID":"a","Name":"X","Size":"1B"}']],
  ])("--format %j", (format, lines) => {
    expect(formatListing(listing, rows, format)).toEqual(lines);
  });

  it("has its heading without rows, too", () => {
    expect(formatListing(listing, [])).toEqual(["THING ID   SIZE"]);
    expect(formatListing(listing, [], "{{.ID}}")).toEqual([]);
    expect(() => formatListing(listing, [], "table {{.Foo}}")).toThrow(/^template parsing error: .*Foo/);
    expect(() => formatListing(listing, [], "{{.ID")).toThrow(/unclosed action/);
  });
});

describe("text", () => {
  it("is cut with an ellipsis", () => {
    expect(ellipsis("x".repeat(45), 45)).toBe("x".repeat(45));
    expect(ellipsis("x".repeat(46), 45)).toBe(`${"x".repeat(44)}…`);
    expect(shortId(`sha256:${"ab".repeat(32)}`)).toBe("abababababab");
  });

  it("shows control characters instead of obeying them", () => {
    expect(escapeControls("a\nb\tc\r\x1b[31m\x7f\x9b\u202ed é")).toBe(
      "a\\nb\\tc\\r\\x1b[31m\\x7f\\x9b\\u202ed é",
    );
  });
});

describe("progress", () => {
  it.each([
    [0, 31e6, 99, `[>${" ".repeat(50)}]       0B/31MB`],
    [1.2e6, 31e6, 99, `[=>${" ".repeat(49)}]    1.2MB/31MB`],
    [435.5e6, 435.5e6, 99, `[${"=".repeat(50)}>]  435.5MB/435.5MB`],
    [5e6, 10e6, 50, `[${"=".repeat(14)}>${" ".repeat(15)}]      5MB/10MB`],
    [5e6, 10e6, 30, "     5MB/10MB"],
    [5e6, undefined, 99, "     5MB"],
    [5e6, 4e6, 99, "     5MB"],
  ])("%d of %s in %d columns", (done, total, room, text) => {
    expect(progressBar(done, total, room)).toBe(text);
  });
});
