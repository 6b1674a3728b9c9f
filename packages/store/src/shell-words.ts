import { StrataError } from "@strata/core";

/** Looks a variable up; undefined if it is not set. */
export type Lookup = (name: string) => string | undefined;

/**
 * Split the rest of a Dockerfile line into words as docker does: quotes group, a backslash takes the next character
 * as it is, `$NAME` and `${NAME}` stand for a variable, except in single quotes.
 * @throws StrataError `InvalidArgument`, if a quote or brace is not closed
 */
export function splitWords(line: string, lookup: Lookup): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (quote === undefined && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === quote) {
      quote = undefined;
    } else if (quote === undefined && (char === '"' || char === "'")) {
      quote = char;
      word ??= "";
    } else if (char === "\\" && quote !== "'" && at + 1 < line.length) {
      at += 1;
      // In double quotes a backslash is special before a few characters only.
      const keepsBackslash = quote === '"' && !/["$\\]/.test(line.charAt(at));
      word = (word ?? "") + (keepsBackslash ? "\\" : "") + line.charAt(at);
    } else if (char === "$" && quote !== "'") {
      const { text, length } = variable(line.slice(at), lookup);
      word = (word ?? "") + text;
      at += length - 1;
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== undefined) throw invalid(line, `the quote ${quote} is not closed`);
  return word === undefined ? words : [...words, word];
}

function variable(rest: string, lookup: Lookup): { text: string; length: number } {
  const found = /^\$(?:\{(\w+)\}|([A-Za-z_]\w*))/.exec(rest);
  const name = found?.[1] ?? found?.[2];
  if (found && name) return { text: lookup(name) ?? "", length: found[0].length };
  if (rest.startsWith("${"))
    throw invalid(rest, "after a dollar, a brace must enclose a name and nothing else");
  return { text: "$", length: 1 };
}

function invalid(line: string, why: string): StrataError {
  return new StrataError("InvalidArgument", `${JSON.stringify(line)}: ${why}`);
}
