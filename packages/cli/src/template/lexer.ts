import { lineOf, TemplateError } from "./template-error.ts";

/**
 * - `text`: what stands between actions
 * - `open`, `close`: `{{` and `}}`
 * - `field`: `.Name`; `variable`: `$` or `$name`; `word`: a keyword, function, `true`, `false` or `nil`
 * - `string`, `number`, `char`: literals, as they were written
 * - `space`: kept, since it separates arguments (`.A .B`) from chains (`.A.B`)
 * - `mark`: one of `.` `|` `(` `)` `,` `:=` `=`
 */
export type TokenKind =
  | "text"
  | "open"
  | "close"
  | "field"
  | "variable"
  | "word"
  | "string"
  | "number"
  | "char"
  | "space"
  | "mark"
  | "end";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Offset of the first character in the template. */
  readonly at: number;
}

const inAction: readonly (readonly [TokenKind, RegExp])[] = [
  ["space", /\s+/y],
  ["string", /"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`/y],
  ["char", /'(?:[^'\\\n]|\\[^\n])+'/y],
  ["number", /[+-]?\d[\w.]*/y],
  ["field", /\.[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ["variable", /\$[\p{L}\p{Nd}_]*/uy],
  ["word", /[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ["mark", /:=|[.|(),=]/y],
];

/** What may follow a field, a variable or a word. */
const terminator = /^(?:[\s.,|:()=]|\}\}|$)/;

/** Cut a template into tokens. `{{-` and `-}}` trim, `{{/* *\/}}` is left out. */
export function tokenize(template: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trim = false;
  for (;;) {
    const open = template.indexOf("{{", at);
    let text = template.slice(at, open < 0 ? undefined : open);
    const trimRight = open >= 0 && /^-\s/.test(template.slice(open + 2, open + 4));
    if (trim) text = text.trimStart();
    if (trimRight) text = text.trimEnd();
    if (text !== "") tokens.push({ kind: "text", text, at });
    if (open < 0) break;
    const start = open + (trimRight ? 3 : 2);
    const comment = /^\s*\/\*/.exec(template.slice(start));
    const action = comment
      ? skipComment(template, start + comment[0].length)
      : tokenizeAction(template, start, tokens);
    ({ at, trim } = action);
  }
  tokens.push({ kind: "end", text: "EOF", at: template.length });
  return tokens;
}

interface AfterAction {
  readonly at: number;
  /** Whether the text that follows loses its leading white space. */
  readonly trim: boolean;
}

const closing = /(\s-)?\}\}/y;

function closingAt(template: string, at: number): AfterAction | undefined {
  closing.lastIndex = at;
  const match = closing.exec(template);
  return match ? { at: closing.lastIndex, trim: match[1] !== undefined } : undefined;
}

function skipComment(template: string, at: number): AfterAction {
  const end = template.indexOf("*/", at);
  if (end < 0) throw problem(template, at, "unclosed comment");
  const after = closingAt(template, end + 2);
  if (!after) throw problem(template, end, "comment ends before closing delimiter");
  return after;
}

function tokenizeAction(template: string, start: number, tokens: Token[]): AfterAction {
  tokens.push({ kind: "open", text: "{{", at: start });
  let at = start;
  let parentheses = 0;
  for (;;) {
    const after = closingAt(template, at);
    if (after) {
      if (parentheses > 0) throw problem(template, at, "unclosed left paren");
      tokens.push({ kind: "close", text: "}}", at });
      return after;
    }
    const token = nextToken(template, at);
    at += token.text.length;
    if (token.text === "(") parentheses++;
    if (token.text === ")" && --parentheses < 0) throw problem(template, at, "unexpected right paren");
    tokens.push(token);
  }
}

function nextToken(template: string, at: number): Token {
  if (at >= template.length) throw problem(template, at, "unclosed action");
  for (const [kind, form] of inAction) {
    form.lastIndex = at;
    const text = form.exec(template)?.[0];
    if (text === undefined) continue;
    const end = at + text.length;
    if (["field", "variable", "word"].includes(kind) && !terminator.test(template.slice(end, end + 2)))
      throw problem(template, end, `bad character ${describe(template, end)}`);
    return { kind, text, at };
  }
  const character = template.charAt(at);
  if (character === '"') throw problem(template, at, "unterminated quoted string");
  if (character === "`") throw problem(template, at, "unterminated raw quoted string");
  if (character === "'") throw problem(template, at, "unterminated character constant");
  throw problem(template, at, `unrecognized character in action: ${describe(template, at)}`);
}

/** As Go's `%#U`: `U+007D '}'`. */
function describe(template: string, at: number): string {
  const point = template.codePointAt(at) ?? 0;
  return `U+${point.toString(16).toUpperCase().padStart(4, "0")} '${String.fromCodePoint(point)}'`;
}

function problem(template: string, at: number, what: string): TemplateError {
  return new TemplateError(`template: :${lineOf(template, at)}: ${what}`);
}
