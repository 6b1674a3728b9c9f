import fc from "fast-check";

/**
 * Lists that are shrunk by leaving out what is not needed: first halves, then quarters, down to single elements. The
 * elements stay as they are. fast-check's own lists try each element's own shrinking too, which takes ten times as many
 * runs, and a run is what costs here.
 */
export function shortening<T>(lists: fc.Arbitrary<T[]>): fc.Arbitrary<T[]> {
  return new Shortening(lists);
}

/** Where shrinking goes on after a piece was left out. */
class Place {
  readonly length: number;
  readonly at: number;

  constructor(length: number, at: number) {
    this.length = length;
    this.at = at;
  }
}

class Shortening<T> extends fc.Arbitrary<T[]> {
  readonly #lists: fc.Arbitrary<T[]>;

  constructor(lists: fc.Arbitrary<T[]>) {
    super();
    this.#lists = lists;
  }

  generate(random: fc.Random, bias: number | undefined): fc.Value<T[]> {
    return new fc.Value(this.#lists.generate(random, bias).value, undefined);
  }

  canShrinkWithoutContext(value: unknown): value is T[] {
    return Array.isArray(value);
  }

  shrink(list: T[], context?: unknown): fc.Stream<fc.Value<T[]>> {
    const start = context instanceof Place ? context : new Place(Math.ceil(list.length / 2), 0);
    return fc.stream(shorter(list, start));
  }
}

/** The list without one piece each; from the end to the front, since what comes after a failure is never needed. */
function* shorter<T>(list: readonly T[], start: Place): Generator<fc.Value<T[]>> {
  for (let { length, at } = start; length > 0; length = Math.floor(length / 2), at = 0) {
    for (; at < list.length; at += length) {
      const end = list.length - at;
      const rest = [...list.slice(0, Math.max(0, end - length)), ...list.slice(end)];
      // Without one element, another may have become needless that was not before.
      yield new fc.Value(rest, new Place(length, length === 1 ? 0 : at));
    }
  }
}
