import type { Measurement } from "../../results/schema.ts";
import { formatBytes } from "../format.ts";

/** `parentFiles` → `parent files`, `fileBytes` → `file size`: what is in bytes is shown with its unit. */
export function parameterLabel(name: string): string {
  return name
    .replace(/bytes$/i, (ending) => (ending === "Bytes" ? "Size" : "size"))
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();
}

/** `4 KiB`, `1 GiB`, `10,000` */
export function parameterText(name: string, value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value;
  return /bytes$/i.test(name) ? binaryText(value) : value.toLocaleString("en");
}

/** `compression gzip, shape small`; empty for no parameters. */
export function parametersText(parameters: Measurement["parameters"]): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${parameterLabel(name)} ${parameterText(name, value)}`)
    .join(", ");
}

const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB"];

/** What is a whole number of binary units is shown in them. */
function binaryText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && value % 1024 === 0 && unit < binaryUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return value < 1024 ? `${value} ${binaryUnits[unit]}` : formatBytes(bytes);
}
