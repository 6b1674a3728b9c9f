/** What is wrong with a template, in Go's words: people search for these messages. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";

  /** @param problem - from `template: :1: ...` on; the prefix is docker's */
  constructor(problem: string) {
    super(`template parsing error: ${problem}`);
  }
}

/** `line` or `line:column` of an offset into the template, as Go counts: lines from 1, columns from 0. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** See {@link lineOf}. */
export function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf("\n", offset - 1) + 1);
}
