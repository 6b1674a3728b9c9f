/** A JSON document's table, as a program may read it field by field. */
export type JsonObject = Record<string, unknown>;

/** `value` if it is a table, else undefined. */
export function asObject(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** `value` if it is a text that is not empty, else undefined. */
export function asText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The table that bytes of others hold, or undefined. */
export function parseObject(bytes: Uint8Array | string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(typeof bytes === "string" ? bytes : Buffer.from(bytes).toString()));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
