import { isNil, toText, typeName } from "./values.ts";

const verbForm = /%([-+ 0#]*)(\d+)?(?:\.(\d+))?(.)?/gsu;

/** Go's `fmt.Sprintf`, for the verbs that make sense on strings, numbers and lists. */
export function sprintf(format: string, values: readonly unknown[]): string {
  let used = 0;
  const text = format.replace(verbForm, (_, flags: string, width = "", precision?: string, verb = "") => {
    if (verb === "%") return "%";
    if (verb === "") return "%!(NOVERB)";
    if (used >= values.length) return `%!${verb}(MISSING)`;
    const value = values[used++];
    const digits = precision === undefined ? undefined : Number(precision);
    return align(convert(verb, value, digits, flags), Number(width), flags, value);
  });
  const extra = values.slice(used).map((value) => `${typeName(value)}=${toText(value)}`);
  return extra.length > 0 ? `${text}%!(EXTRA ${extra.join(", ")})` : text;
}

function align(text: string, width: number, flags: string, value: unknown): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes("-")) return text + " ".repeat(missing);
  if (!flags.includes("0")) return " ".repeat(missing) + text;
  const sign = typeof value === "number" && /^[-+]/.test(text) ? 1 : 0;
  return text.slice(0, sign) + "0".repeat(missing) + text.slice(sign);
}

function convert(verb: string, value: unknown, digits: number | undefined, flags: string): string {
  if (verb === "T") return typeName(value);
  if (verb === "v") return toText(value);
  if (Array.isArray(value)) return `[${value.map((item) => convert(verb, item, digits, flags)).join(" ")}]`;
  if (typeof value === "string") return convertString(verb, value, digits) ?? wrong(verb, value);
  if (typeof value === "boolean") return verb === "t" ? String(value) : wrong(verb, value);
  if (typeof value !== "number") return verb === "s" && !isNil(value) ? toText(value) : wrong(verb, value);
  const text = Number.isInteger(value) ? convertInteger(verb, value) : convertFloat(verb, value, digits);
  if (text === undefined) return wrong(verb, value);
  return flags.includes("+") && value >= 0 && verb !== "c" && verb !== "q" ? `+${text}` : text;
}

function convertString(verb: string, value: string, digits: number | undefined): string | undefined {
  const cut = digits === undefined ? value : [...value].slice(0, digits).join("");
  if (verb === "s") return cut;
  if (verb === "q") return JSON.stringify(cut);
  const hex = Buffer.from(value).toString("hex");
  if (verb === "x") return hex;
  return verb === "X" ? hex.toUpperCase() : undefined;
}

const bases: Readonly<Record<string, number>> = { d: 10, x: 16, X: 16, o: 8, b: 2 };

function convertInteger(verb: string, value: number): string | undefined {
  const base = bases[verb];
  if (base !== undefined) {
    const text = value.toString(base);
    return verb === "X" ? text.toUpperCase() : text;
  }
  const character = value >= 0 && value <= 0x10ffff ? String.fromCodePoint(value) : "\ufffd";
  if (verb === "c") return character;
  if (verb === "q") return `'${character}'`;
  return verb === "U" ? `U+${value.toString(16).toUpperCase().padStart(4, "0")}` : undefined;
}

function convertFloat(verb: string, value: number, digits = 6): string | undefined {
  if (verb === "f") return value.toFixed(digits);
  if (verb === "g") return String(value);
  return verb === "e" ? value.toExponential(digits).replace(/e([+-])(\d)$/, "e$10$2") : undefined;
}

function wrong(verb: string, value: unknown): string {
  return isNil(value) ? `%!${verb}(<nil>)` : `%!${verb}(${typeName(value)}=${toText(value)})`;
}
