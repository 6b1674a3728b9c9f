import { randomNumbers } from "@strata/conformance/suite";
import { describe, expect, it } from "vitest";
import { type Confidence, intervalOf, median, ratioOf } from "../src/results/spread.ts";

const round = (...samplesMilliseconds: number[]) => ({ wallMilliseconds: 1, samplesMilliseconds });

/** Normally distributed, by Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

describe("an interval", () => {
  it("is that of the rounds' medians, by Student's t", () => {
    // Logarithms 0, 1 and 2: mean 1, standard error 1 / √3, t = 4.303 for two degrees of freedom.
    const rounds = [round(Math.E, 0.1, 100), round(1, 1, 50), round(Math.E ** 2)];
    const interval = intervalOf(rounds, 95);
    expect(interval?.value).toBeCloseTo(Math.E, 6);
    expect(Math.log(interval?.from ?? 0)).toBeCloseTo(1 - 4.303 / Math.sqrt(3), 6);
    expect(Math.log(interval?.to ?? 0)).toBeCloseTo(1 + 4.303 / Math.sqrt(3), 6);
  });

  it("is not known of what was measured once", () => {
    expect(intervalOf([round(5)], 95)).toBeUndefined();
    expect(ratioOf([round(5)], [round(5), round(6)], 95)).toBeUndefined();
  });

  it("of a ratio is wide for two rounds, and as narrow as can be where nothing varies", () => {
    const wide = ratioOf([round(10), round(11)], [round(20), round(21)], 99);
    expect(wide?.value).toBeCloseTo(1.95, 1);
    expect(wide?.from).toBeLessThan(1.5);
    const sure = ratioOf([round(10), round(10)], [round(20), round(20)], 99);
    expect(sure?.from).toBeCloseTo(2, 9);
    expect(sure?.to).toBeCloseTo(2, 9);
  });

  for (const confidence of [95, 99] satisfies Confidence[]) {
    for (const [first, second] of [
      [3, 3],
      [3, 10],
      [12, 12],
      [30, 40],
    ] as const) {
      it(`has the true ratio in it ${confidence} of 100 times, of ${first} and ${second} rounds`, () => {
        const random = randomNumbers(first + second);
        const runOf = (count: number, typical: number, noise: number) =>
          Array.from({ length: count }, () => round(typical * Math.exp(noise * normal(random))));
        const tries = 4000;
        let missed = 0;
        for (let index = 0; index < tries; index++) {
          const ratio = ratioOf(runOf(first, 10, 0.1), runOf(second, 20, 0.15), confidence);
          if (ratio === undefined || ratio.from > 2 || ratio.to < 2) missed += 1;
        }
        const expected = 1 - confidence / 100;
        expect(missed / tries).toBeLessThan(expected * 1.5);
        expect(missed / tries).toBeGreaterThan(expected * 0.4);
      });
    }
  }
});

it("the median of an even number is between the two in the middle", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([7])).toBe(7);
});
