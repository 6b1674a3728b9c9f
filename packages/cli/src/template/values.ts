/**
 * What a template can see. Arrays are Go's slices, plain objects are maps (a missing key is an error), a
 * {@link Row} is a struct, undefined and null are nil, a whole number is an int.
 */

/** One line of a listing: the fields that its templates may name, computed when they are asked for. */
export class Row {
  /** Go's name for the type, which errors quote. */
  readonly typeName: string;
  readonly #fields: Readonly<Record<string, Field>>;

  constructor(typeName: string, fields: Readonly<Record<string, Field>>) {
    this.typeName = typeName;
    this.#fields = fields;
  }

  field(name: string): Field | undefined {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  /** What `{{json .}}` shows: every field that takes no argument, sorted by name. */
  toJSON(): Record<string, unknown> {
    const entries = Object.entries(this.#fields)
      .filter(([, field]) => field.length === 0)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([name, field]) => [name, field("")]));
  }
}

/** A field without arguments, or with one as in `{{.Label "key"}}`. */
export type Field = (argument: string) => unknown;

/** Whether `value` is a plain object, which templates see as a map. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Row);
}

export function isNil(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** Go's truth: nil, false, 0 and whatever is empty are false. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** Go's name for a value's type. */
export function typeName(value: unknown): string {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  if (Array.isArray(value))
    return value.every((item) => typeof item === "string") ? "[]string" : "[]interface {}";
  if (value instanceof Row) return value.typeName;
  return isNil(value) ? "<nil>" : "map[string]interface {}";
}

/** As Go's `%v` prints it. */
export function toText(value: unknown): string {
  if (isNil(value)) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(toText).join(" ")}]`;
  if (value instanceof Row) return toText(value.toJSON());
  if (isMap(value))
    return `map[${Object.keys(value)
      .sort()
      .map((key) => `${key}:${toText(value[key])}`)
      .join(" ")}]`;
  return String(value);
}

/** As Go's encoding/json writes it: on one line, safe to put into HTML. */
export function toJson(value: unknown): string {
  return (JSON.stringify(value) ?? "null").replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const orderOf = { lt: [-1], le: [-1, 0], gt: [1], ge: [0, 1] } as const;

/** @throws Error, in Go's words, if the two are of different types */
export function isEqual(a: unknown, b: unknown): boolean {
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b);
  for (const value of [a, b])
    if (typeof value === "object") throw new Error(`non-comparable type: ${typeName(value)}`);
  if (typeName(a) !== typeName(b)) throw new Error("incompatible types for comparison");
  return a === b;
}

/** @throws Error, in Go's words, if the two have no order */
export function isOrdered(operator: keyof typeof orderOf, a: unknown, b: unknown): boolean {
  const known: readonly number[] = orderOf[operator];
  if (typeof a === "string" && typeof b === "string") return known.includes(a < b ? -1 : Number(a > b));
  if (typeof a === "number" && typeof b === "number" && typeName(a) === typeName(b))
    return known.includes(Math.sign(a - b));
  throw new Error(
    typeName(a) === typeName(b) ? "invalid type for comparison" : "incompatible types for comparison",
  );
}
