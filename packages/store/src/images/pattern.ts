import { StrataError } from "@strata/core";
import { parseName, type Reference } from "../reference.ts";

/**
 * A test for references by a pattern, as docker's `reference` filter takes it: `*` and `?` do not match a `/`,
 * `[a-c]` is a class, a backslash makes the next character literal. A pattern without a tag matches every tag. Both
 * the short and the full form of a reference are tried.
 * @throws StrataError `InvalidArgument`
 */
export function referenceMatcher(pattern: string): (reference: Reference) => boolean {
  const form = globToRegExp(pattern);
  return (reference) =>
    [reference.familiar(), reference.familiarName, reference.toString(), reference.name].some((text) =>
      form.test(text),
    ) || isSame(pattern, reference);
}

/** So that `images docker.io/debian` finds what `pull docker.io/debian` brought. */
function isSame(pattern: string, reference: Reference): boolean {
  try {
    const wanted = parseName(pattern);
    return wanted.name === reference.name && (wanted.tag === undefined || wanted.tag === reference.tag);
  } catch {
    return false;
  }
}

/** @see Go, path.Match */
function globToRegExp(pattern: string): RegExp {
  const source = pattern.replace(
    /\\(.)|\[(\^?)((?:\\.|[^\]\\])+)\]|[\s\S]/g,
    (part, escaped?: string, not?: string, set?: string) => {
      if (escaped !== undefined) return literal(escaped);
      if (set !== undefined) return `[${not}${set.replace(/[[^&]/g, "\\$&")}]`;
      if (part === "*") return "[^/]*";
      if (part === "?") return "[^/]";
      if (part === "[" || part === "\\") throw badPattern(pattern);
      return literal(part);
    },
  );
  try {
    return new RegExp(`^${source}$`, "u");
  } catch (cause) {
    throw badPattern(pattern, cause);
  }
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function badPattern(pattern: string, cause?: unknown): StrataError {
  return new StrataError(
    "InvalidArgument",
    `reference pattern ${JSON.stringify(pattern)}: syntax error in pattern`,
    {
      cause,
    },
  );
}
