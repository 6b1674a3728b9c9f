import { describe, expect, it } from "vitest";
import { adviceFor } from "../src/advice.ts";
import {
  allCases,
  loopBtrfs,
  type MadeCase,
  madeResults,
  overlay2,
  podman,
  vfs,
} from "./support/made-results.ts";

/** All cases, with a driver's times changed. */
const casesWith = (driver: string, factor: number): MadeCase[] =>
  allCases().map((made) => {
    const { [driver]: own, ...others } = made.milliseconds;
    return { ...made, milliseconds: own === undefined ? others : { ...others, [driver]: own * factor } };
  });
/** All cases, of these drivers only. */
const casesOf = (...drivers: readonly string[]): MadeCase[] =>
  allCases().map((made) => ({
    ...made,
    milliseconds: Object.fromEntries(
      Object.entries(made.milliseconds).filter(([id]) => drivers.includes(id)),
    ),
  }));

describe("the advice", () => {
  it("names the driver, its figures, what it lacks, and when another is better", () => {
    const advice = adviceFor(madeResults());
    expect(advice).toMatch(/^Use overlay2 on this host, on ext4\. /);
    expect(advice).toMatch(/applying 30 MB in 10,000 files takes 4\d\d ms/);
    expect(advice).toMatch(/making a container on 10,000 files ready takes 1\.\d+ ms \(vfs: 2(?:\.\d+)? s\)/);
    expect(advice).toMatch(/the first write to a file of 256 MiB takes 2\d\d ms/);
    expect(advice).toMatch(/listing the changes in 10,000 files takes 2(?:\.\d+)? ms/);
    expect(advice).toMatch(/survive a power cut costs 1\.[45]\d× the time/);
    expect(advice).toContain("hard links that stay one file when written to (overlayfs copies a file up");
    expect(advice).toMatch(/Better may be: vfs, if you need hard links that stay one file when written to/);
    expect(advice).toMatch(
      /btrfs on btrfs \(loop\) \(which needs a disk with btrfs\), if you need quotas of bytes/,
    );
    expect(advice.split("\n")).toHaveLength(1);
  });

  it("follows the figures, not the name", () => {
    expect(adviceFor(madeResults({}, casesWith("overlay2", 40)))).toMatch(/^Use vfs on this host, on ext4\./);
  });

  it("does not send to a disk that the host lacks, but says what it would bring", () => {
    const advice = adviceFor(madeResults({}, casesWith(loopBtrfs.id, 0.01)));
    expect(advice).toMatch(/^Use overlay2 on this host, on ext4\./);
    expect(advice).toMatch(
      /btrfs on btrfs \(loop\) \(which needs a disk with btrfs\), if .*applying 30 MB in 10,000 files matters most \(\d/,
    );
  });

  it("says that it would need such a disk, where only a loop file has a driver", () => {
    const advice = adviceFor(madeResults({ subjects: [loopBtrfs, podman] }, casesOf(loopBtrfs.id, "podman")));
    expect(advice).toMatch(/^No driver was measured on the host's own file system\./);
    expect(advice).toContain("btrfs on btrfs (loop) did best: it would need a disk with btrfs.");
  });

  it("takes the only driver there is, and says what it lacks", () => {
    const missing = [{ id: "overlay2", kind: "driver" as const, reason: "needs root" }];
    const advice = adviceFor(madeResults({ subjects: [vfs], missing }, casesOf("vfs")));
    expect(advice).toMatch(/^Use vfs on this host, on ext4: no other driver was measured\./);
    expect(advice).toContain(
      "layers that share what they have in common (a snapshot starts as a copy of its parent)",
    );
    expect(advice).not.toContain("Better may be");
    expect(advice).toContain("overlay2 cannot be used here as it is");
  });

  it("puts a driver that failed after those that did everything", () => {
    // In what is left, it does best by far.
    const cases = allCases()
      .filter(({ workload }) => workload !== "copy-up")
      .map((made) => {
        const { overlay2: own, ...others } = made.milliseconds;
        return made.workload === "apply" ? { ...made, milliseconds: others } : made;
      });
    const failures = [{ workload: "apply", title: "x", subject: "overlay2", message: "no space left" }];
    const advice = adviceFor(madeResults({ failures }, cases));
    expect(advice).toMatch(/^Use vfs/);
    expect(advice).toContain("overlay2 failed in some cases");
  });

  it("says what it rests on, where little was measured", () => {
    const cases = allCases().filter(({ workload }) => workload === "apply");
    const { options } = madeResults();
    const advice = adviceFor(madeResults({ options: { ...options, scale: "quick" } }, cases));
    expect(advice).toMatch(/^Use overlay2/);
    expect(advice).toContain(
      "store, lifecycle, copy-up and changes were not measured; a quick run tells large differences only",
    );
  });

  it("chooses by nothing that is the same for all drivers", () => {
    const hashing = allCases().filter(({ workload }) => workload === "hashing");
    expect(adviceFor(madeResults({}, hashing))).toMatch(
      /^No figures to choose a driver by: overlay2 and vfs can be used/,
    );
  });

  it("says why there is no driver", () => {
    const missing = [{ id: "overlay2", kind: "driver" as const, reason: "the kernel has no overlayfs" }];
    expect(adviceFor(madeResults({ subjects: [podman], missing }, []))).toBe(
      "No driver can be used here. overlay2: the kernel has no overlayfs.",
    );
  });

  it("says when the host did something else", () => {
    const cases = allCases().map((made) => ({ ...made, disturbances: ["the load average was 9"] }));
    expect(adviceFor(madeResults({ subjects: [overlay2] }, cases))).toMatch(
      /did something else during \d+ of \d+/,
    );
  });
});
