import { InvalidArgumentError } from "commander";
import { parseSize } from "../format/size.ts";

/** Parsers of option values; commander says which option it was. */

/** Gathers an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** Values that commas separate. */
export function listValue(text: string): string[] {
  return text.split(",").filter((value) => value !== "");
}

/** @throws InvalidArgumentError */
export function sizeValue(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new InvalidArgumentError("Not a size like 500MB, 10GB or 64GiB.");
  return bytes;
}

/** @throws InvalidArgumentError */
export function countValue(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("Not a whole number.");
  return Number(text);
}
