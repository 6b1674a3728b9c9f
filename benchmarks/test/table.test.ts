import { describe, expect, it } from "vitest";
import { formatBytes, formatMilliseconds, formatRatio } from "../src/report/format.ts";
import { tableLines } from "../src/report/table.ts";
import { loopBtrfs, madeResults, overlay2, podman, tar, vfs } from "./support/made-results.ts";

describe("the table", () => {
  it("fits into 100 columns", () => {
    const lines = tableLines(madeResults());
    expect(lines.length).toBeGreaterThan(100);
    expect(lines.filter((line) => [...line].length > 100)).toEqual([]);
  });

  it("has a line for each subject and operation, with what was measured of it", () => {
    const lines = tableLines(madeResults());
    const from = lines.findIndex((line) => line.includes("up to 2 side by side"));
    const [heading = "", ...rows] = lines.slice(from + 1, from + 6);
    expect(heading.trim().split(/\s{2,}/)).toEqual([
      "apply",
      "median",
      "±",
      "MB/s",
      "files/s",
      "written",
      "ratio",
    ]);
    expect(rows.map((row) => row.trim().split(/\s{2,}/)[0])).toEqual([
      overlay2.id,
      vfs.id,
      loopBtrfs.id,
      tar.id,
    ]);
    expect(rows[0]).toMatch(/ 7\d\d ms .* 4\d\.\d +14,\d00 +41 MB +1\.00×$/);
    // Twice the reference's time, and nothing was counted of what it wrote.
    expect(rows[3]).toMatch(/ 1\.\d+ s .* (?:1\.9|2\.0)\d×$/);
  });

  it("tells what was written for one iteration, however many a round has", () => {
    const lines = tableLines(madeResults());
    const from = lines.findIndex((line) => line.includes("a file of 4096 bytes"));
    expect(lines.slice(from + 2, from + 4).map((line) => / (\S+ k?B) /.exec(line)?.[1])).toEqual([
      "4.1 kB",
      "4.1 kB",
    ]);
  });

  it("compares with the fastest driver on the host's own file system, not with one on a loop file", () => {
    const cases = [
      {
        workload: "store",
        title: "load",
        parameters: {},
        operation: "load",
        milliseconds: { overlay2: 200, vfs: 100, [loopBtrfs.id]: 10, podman: 400 },
      },
    ];
    const ratios = (subjects = [overlay2, vfs, loopBtrfs, podman]) =>
      tableLines(madeResults({ subjects }, cases))
        .filter((line) => line.endsWith("×"))
        .map((line) => Number.parseFloat(line.split(/\s+/).at(-1) ?? ""));
    const [first, second, onLoop, peer] = ratios();
    expect(first).toBeCloseTo(2, 0);
    expect(second).toBe(1);
    expect(onLoop).toBeCloseTo(0.1, 1);
    expect(peer).toBeCloseTo(4, 0);
    // Without a driver there, it is the fastest one that there is.
    expect(ratios([{ ...overlay2, kind: "peer" }, { ...vfs, kind: "peer" }, loopBtrfs, podman])[2]).toBe(1);
  });

  it("marks what was disturbed, and says by what", () => {
    const lines = tableLines(madeResults());
    expect(lines.filter((line) => /\w\)? ! /.test(line)).map((line) => line.trim().split(" !")[0])).toEqual([
      overlay2.id,
      vfs.id,
      loopBtrfs.id,
      podman.id,
    ]);
    expect(lines).toContain("  ! the load average was 3.2");
  });

  it("lists what failed and what is missing, and where it was measured", () => {
    const failure = {
      workload: "read",
      title: "through 100 layers",
      subject: "vfs",
      message: "no space left",
    };
    const text = tableLines(madeResults({ failures: [failure] })).join("\n");
    expect(text).toContain("Missing here\n  umoci: umoci is not installed");
    expect(text).toContain("Failed, and left out\n  vfs, read, through 100 layers: no space left");
    expect(text).toMatch(/^Host: +build-7, Linux 6\.18\.1 \(x64\), as root$/m);
    expect(text).toMatch(/^File systems: +ext4 at \/srv; btrfs in a file made for this run$/m);
    expect(text).toMatch(/^Subjects: .*podman 4\.3\.1/m);
  });

  it("is short where nothing was measured", () => {
    const text = tableLines(madeResults({}, [])).join("\n");
    expect(text).toContain("umoci is not installed");
    expect(text).not.toContain("median");
  });
});

describe("figures", () => {
  it("have three digits and a unit that fits", () => {
    const times = [0.000_87, 0.0123, 4.5678, 999.7, 1234, 125_000];
    expect(times.map(formatMilliseconds)).toEqual([
      "870 ns",
      "12.3 µs",
      "4.57 ms",
      "1 s",
      "1.23 s",
      "2 min 5 s",
    ]);
    expect([512, 13_312, 999_999, 1.07e9].map(formatBytes)).toEqual(["512 B", "13.3 kB", "1 MB", "1.07 GB"]);
    expect([0.254, 1, 13.14, 13_400].map(formatRatio)).toEqual(["0.25×", "1.00×", "13.1×", "13,400×"]);
  });
});
