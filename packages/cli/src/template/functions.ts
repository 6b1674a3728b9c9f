import { sprintf } from "./printf.ts";
import { isEqual, isMap, isNil, isOrdered, isTrue, toJson, toText, typeName } from "./values.ts";

type ParameterType = "any" | "string" | "int" | "[]string";

/** A function that templates can call. */
export interface TemplateFunction {
  readonly parameters: readonly ParameterType[];
  /** Any number of further arguments. @defaultValue false */
  readonly variadic?: boolean;
  /** After an argument of which this is true, no further one is evaluated. */
  readonly decides?: (value: unknown) => boolean;
  /** What it does to a column's heading instead. @defaultValue the same */
  readonly onHeading?: (...values: readonly unknown[]) => unknown;
  /** Arguments are checked against `parameters` before. Whatever it throws is reported as `error calling f: ...`. */
  readonly call: (...values: readonly unknown[]) => unknown;
}

function onStrings(call: (text: string) => string, onHeading = call): TemplateFunction {
  return {
    parameters: ["string"],
    call: (text) => call(String(text)),
    onHeading: (text) => onHeading(String(text)),
  };
}

function ordering(operator: Parameters<typeof isOrdered>[0]): TemplateFunction {
  return { parameters: ["any", "any"], call: (a, b) => isOrdered(operator, a, b) };
}

const unchanged = (text: string) => text;

/** Go's own functions and those docker adds. */
export const functions: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  // Go's; `and` and `or` give the argument that decided, and look no further.
  ["and", { parameters: ["any"], variadic: true, decides: (value) => !isTrue(value), call: last }],
  ["or", { parameters: ["any"], variadic: true, decides: isTrue, call: last }],
  ["not", { parameters: ["any"], call: (value) => !isTrue(value) }],
  ["eq", { parameters: ["any"], variadic: true, call: equalsAny }],
  ["ne", { parameters: ["any", "any"], call: (a, b) => !isEqual(a, b) }],
  ["lt", ordering("lt")],
  ["le", ordering("le")],
  ["gt", ordering("gt")],
  ["ge", ordering("ge")],
  ["len", { parameters: ["any"], call: length }],
  ["index", { parameters: ["any"], variadic: true, call: (value, ...keys) => keys.reduce(element, value) }],
  ["slice", { parameters: ["any"], variadic: true, call: slice }],
  ["print", { parameters: [], variadic: true, call: print }],
  [
    "printf",
    { parameters: ["string"], variadic: true, call: (format, ...values) => sprintf(String(format), values) },
  ],
  ["println", { parameters: [], variadic: true, call: (...values) => `${values.map(toText).join(" ")}\n` }],
  // Docker's; `json`, `lower`, `upper` and `title` leave a table's headings alone.
  ["json", { parameters: ["any"], call: toJson, onHeading: (text) => text }],
  ["split", { parameters: ["string", "string"], call: (text, by) => String(text).split(String(by)) }],
  ["join", { parameters: ["[]string", "string"], call: join, onHeading: (text) => text }],
  ["lower", onStrings((text) => text.toLowerCase(), unchanged)],
  ["upper", onStrings((text) => text.toUpperCase(), unchanged)],
  [
    "title",
    onStrings((text) => text.replace(/(^|[^\p{L}\p{N}_])\p{L}/gu, (start) => start.toUpperCase()), unchanged),
  ],
  ["pad", { parameters: ["string", "int", "int"], call: pad }],
  ["truncate", { parameters: ["string", "int"], call: truncate, onHeading: (text) => text }],
]);

/** Why `value` cannot be an argument of this type, in Go's words, or undefined. */
export function mismatch(value: unknown, type: ParameterType): string | undefined {
  const fits =
    type === "any" ||
    (type === "[]string" && (isNil(value) || typeName(value) === type)) ||
    typeName(value) === type;
  return fits ? undefined : `wrong type for value; expected ${type}; got ${typeName(value)}`;
}

function last(...values: readonly unknown[]): unknown {
  return values.at(-1);
}

function equalsAny(value: unknown, ...others: readonly unknown[]): boolean {
  if (others.length === 0) throw new Error("missing argument for comparison");
  return others.some((other) => isEqual(value, other));
}

function length(value: unknown): number {
  if (isNil(value)) return 0;
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  throw new Error(`len of type ${typeName(value)}`);
}

function element(value: unknown, key: unknown): unknown {
  if (isNil(value)) throw new Error("index of untyped nil");
  if (isMap(value)) {
    if (typeof key !== "string") throw new Error(`value has type ${typeName(key)}; should be string`);
    return Object.hasOwn(value, key) ? value[key] : undefined;
  }
  if (!Array.isArray(value) && typeof value !== "string")
    throw new Error(`can't index item of type ${typeName(value)}`);
  if (typeof key !== "number") throw new Error(`cannot index slice/array with type ${typeName(key)}`);
  const items: readonly unknown[] = typeof value === "string" ? [...Buffer.from(value)] : value;
  if (key < 0 || key >= items.length) throw new Error(`index out of range: ${key}`);
  return items[key];
}

function slice(value: unknown, ...bounds: readonly unknown[]): unknown {
  if (typeof value !== "string" && !Array.isArray(value))
    throw new Error(`can't slice item of type ${typeName(value)}`);
  const [from = 0, to = value.length] = bounds.map(Number);
  if (!(from >= 0 && from <= to && to <= value.length)) throw new Error(`index out of range: ${to}`);
  return value.slice(from, to);
}

/** Go's `fmt.Sprint`: a space between two operands when neither is a string. */
function print(...values: readonly unknown[]): string {
  return values.reduce<string>((text, value, index) => {
    const both = index > 0 && typeof value !== "string" && typeof values[index - 1] !== "string";
    return text + (both ? " " : "") + toText(value);
  }, "");
}

function join(items: unknown, by: unknown): string {
  return Array.isArray(items) ? items.join(String(by)) : "";
}

function pad(text: unknown, before: unknown, after: unknown): string {
  return text === "" ? "" : " ".repeat(Number(before)) + String(text) + " ".repeat(Number(after));
}

function truncate(text: unknown, count: unknown): string {
  return [...String(text)].slice(0, Number(count)).join("");
}
