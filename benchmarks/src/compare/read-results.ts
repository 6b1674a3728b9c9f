import { readFile } from "node:fs/promises";
import { z } from "zod";
import { type Results, resultsSchema, schemaVersion } from "../results/schema.ts";

/** A file is none that `strata bench --json` wrote, or not of a version that this one reads. */
export class UnreadableResults extends Error {
  override readonly name = "UnreadableResults";
}

const versioned = z.object({ schemaVersion: z.number() });

/**
 * Read what `strata bench --json` wrote.
 * @throws UnreadableResults, with the file, the field and what to do
 * @throws Error of Node's, if the file cannot be read
 */
export async function readResults(path: string): Promise<Results> {
  const text = await readFile(path, "utf8");
  const value = parse(path, text);
  const found = versioned.safeParse(value);
  if (!found.success) {
    throw new UnreadableResults(
      `${path} holds no results of strata bench: it has no schemaVersion; give a file that \`strata bench --json\` wrote`,
    );
  }
  if (found.data.schemaVersion !== schemaVersion) {
    throw new UnreadableResults(
      `${path} is of schema version ${found.data.schemaVersion}, and this strata reads version ${schemaVersion}; ` +
        "measure again, or compare with the strata that wrote it",
    );
  }
  const results = resultsSchema.safeParse(value);
  if (results.success) return results.data;
  const [first] = results.error.issues;
  const more = results.error.issues.length - 1;
  throw new UnreadableResults(
    `${path}: ${fieldName(first?.path ?? [])}: ${first?.message}${more > 0 ? ` (and ${more} more)` : ""}; ` +
      "the file was changed, or cut off: measure again",
  );
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new UnreadableResults(
      `${path} is no JSON (${what}); give a file that \`strata bench --json\` wrote, to its end`,
      { cause },
    );
  }
}

/** `measurements[3].rounds` */
function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "");
}
