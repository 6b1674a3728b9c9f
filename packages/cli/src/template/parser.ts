import { type Token, type TokenKind, tokenize } from "./lexer.ts";
import type { BranchNode, Command, LiteralNode, Node, Operand, PathNode, Pipe } from "./nodes.ts";
import { lineOf, TemplateError } from "./template-error.ts";

/**
 * Parse the part of Go's text/template that docker's `--format` is used with: fields, pipes, variables, functions,
 * `if`, `range`, `with`. `define`, `template` and `block` have no use in one line and are left out.
 * @param functions - the names that may be called
 * @throws TemplateError
 */
export function parseTemplate(template: string, functions: ReadonlySet<string>): Node[] {
  return new Parser(template, functions).parse();
}

const branches = ["if", "range", "with"] as const;

class Parser {
  readonly #template: string;
  readonly #functions: ReadonlySet<string>;
  readonly #tokens: Token[];
  #position = 0;
  /** In scope now, innermost last. */
  readonly #variables = ["$"];

  constructor(template: string, functions: ReadonlySet<string>) {
    this.#template = template;
    this.#functions = functions;
    this.#tokens = tokenize(template);
  }

  parse(): Node[] {
    const { nodes, stop } = this.#list();
    if (stop !== "EOF") throw this.#problem(`unexpected {{${stop}}}`);
    return nodes;
  }

  /** Nodes up to `{{else`, `{{end}}` or the end of the template. */
  #list(): { nodes: Node[]; stop: "else" | "end" | "EOF" } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#next();
      if (token.kind === "end") return { nodes, stop: "EOF" };
      if (token.kind === "text") {
        nodes.push({ kind: "text", text: token.text });
        continue;
      }
      this.#skipSpace();
      const word = this.#peek().kind === "word" ? this.#peek().text : "";
      if (word === "else" || word === "end") {
        this.#next();
        return { nodes, stop: word };
      }
      const branch = branches.find((name) => name === word);
      if (branch) {
        this.#next();
        nodes.push(this.#branch(branch));
      } else nodes.push({ kind: "action", pipe: this.#pipe("command") });
    }
  }

  #branch(kind: BranchNode["kind"]): BranchNode {
    const scope = this.#variables.length;
    const pipe = this.#pipe(kind);
    const { nodes: body, stop } = this.#list();
    if (stop === "EOF") throw this.#problem("unexpected EOF");
    const otherwise = stop === "else" ? this.#otherwise(kind) : [];
    if (stop === "end") this.#close("end");
    this.#variables.length = scope;
    return { kind, pipe, body, otherwise };
  }

  /** What follows `{{else`: a list and its end, or `if` and a branch that shares this one's end. */
  #otherwise(kind: BranchNode["kind"]): Node[] {
    this.#skipSpace();
    if (kind === "if" && this.#peek().text === "if") {
      this.#next();
      return [this.#branch("if")];
    }
    this.#close("else");
    const { nodes, stop } = this.#list();
    if (stop !== "end")
      throw this.#problem(stop === "else" ? "expected end; found {{else}}" : "unexpected EOF");
    this.#close("end");
    return nodes;
  }

  #close(context: string): void {
    this.#skipSpace();
    const token = this.#next();
    if (token.kind !== "close") throw this.#problem(`unexpected ${quote(token.text)} in ${context}`);
  }

  /** A pipeline and what ends it: `}}`, or `)` in parentheses. */
  #pipe(context: string, end: ")" | "}}" = "}}"): Pipe {
    this.#skipSpace();
    const start = this.#peek().at;
    const { variables, declares } = this.#assignment(context);
    const commands: Command[] = [];
    for (;;) {
      this.#skipSpace();
      const token = this.#peek();
      if (token.text === end && (token.kind === "close" || token.kind === "mark")) {
        this.#next();
        if (commands.length === 0) throw this.#problem(`missing value for ${context}`);
        const text = this.#template.slice(start, token.at).trimEnd();
        this.#checkStages(commands);
        if (declares) this.#variables.push(...variables);
        return { kind: "pipe", variables, declares, commands, text, at: start };
      }
      commands.push(this.#command(context));
    }
  }

  /** Only what can be called can take the value of the stage before it. */
  #checkStages(commands: readonly Command[]): void {
    commands.slice(1).forEach(({ operands: [first] }, index) => {
      if (first.kind === "literal")
        throw this.#problem(`non executable command in pipeline stage ${index + 2}`);
    });
  }

  #assignment(context: string): { variables: string[]; declares: boolean } {
    const start = this.#position;
    const variables: string[] = [];
    while (this.#peek().kind === "variable") {
      variables.push(this.#next().text);
      this.#skipSpace();
      const mark = this.#peek().text;
      if (mark === ":=" || mark === "=") {
        this.#next();
        if (mark === "=") for (const name of variables) this.#checkVariable(name);
        return { variables, declares: mark === ":=" };
      }
      if (mark !== "," || context !== "range" || variables.length > 1) break;
      this.#next();
      this.#skipSpace();
    }
    this.#position = start;
    return { variables: [], declares: false };
  }

  #command(context: string): Command {
    const operands: Operand[] = [];
    const start = this.#peek().at;
    let end = start;
    for (;;) {
      const operand = this.#operand();
      if (!operand) break;
      operands.push(operand);
      end = this.#peek().at;
      if (this.#peek().kind !== "space") break;
      this.#skipSpace();
    }
    const token = this.#peek();
    if (token.text === "|" && token.kind === "mark") {
      this.#next();
      this.#skipSpace();
      if (this.#peek().kind === "close") throw this.#problem(`missing value for ${context}`);
    } else if (token.kind !== "close" && token.text !== ")")
      throw this.#problem(`unexpected ${quote(token.text)} in ${operands.length ? "operand" : context}`);
    const [first, ...rest] = operands;
    if (!first) throw this.#problem("empty command");
    return { operands: [first, ...rest], text: this.#template.slice(start, end).trimEnd(), at: start };
  }

  /** A term and the fields that follow it without a space. */
  #operand(): Operand | undefined {
    const start = this.#peek();
    const term = this.#term();
    const follows = this.#peek();
    if (!term || follows.kind !== "field") return term;
    if (term.kind === "literal" || term.kind === "function")
      throw this.#problem(`unexpected <${follows.text}> after term ${quote(term.text)}`);
    const fields = [];
    while (this.#peek().kind === "field") fields.push(this.#next().text.slice(1));
    const text = this.#template.slice(start.at, this.#peek().at);
    // Go places a chain at its second link.
    const at = follows.at;
    return term.kind === "path"
      ? { ...term, fields: [...term.fields, ...fields], text, at }
      : { kind: "path", from: term, fields, text, at };
  }

  #term(): Operand | undefined {
    const token = this.#peek();
    const { text, at } = token;
    switch (token.kind) {
      case "field":
        this.#next();
        return { kind: "path", from: "dot", fields: [text.slice(1)], text, at };
      case "variable":
        this.#next();
        this.#checkVariable(text);
        return { kind: "path", from: { variable: text }, fields: [], text, at };
      case "mark":
        return this.#marked(token);
      case "word":
        this.#next();
        return this.#word(token);
      case "string":
      case "char":
      case "number":
        this.#next();
        return this.#literal(token.kind, token);
      default:
        return undefined;
    }
  }

  #marked({ text, at }: Token): PathNode | Pipe | undefined {
    if (text === ".") {
      this.#next();
      return { kind: "path", from: "dot", fields: [], text, at };
    }
    if (text !== "(") return undefined;
    this.#next();
    return { ...this.#pipe("parenthesized pipeline", ")"), text: this.#template.slice(at, this.#peek().at) };
  }

  #word({ text, at }: Token): Operand {
    if (text === "true" || text === "false") return { kind: "literal", value: text === "true", text, at };
    if (text === "nil") return { kind: "literal", value: undefined, text, at };
    if (!this.#functions.has(text)) throw this.#problem(`function ${quote(text)} not defined`);
    return { kind: "function", name: text, text, at };
  }

  #literal(kind: TokenKind, { text, at }: Token): LiteralNode {
    if (kind === "number") {
      const value = Number(text.replaceAll("_", ""));
      if (Number.isNaN(value)) throw this.#problem(`bad number syntax: ${quote(text)}`);
      return { kind: "literal", value, text, at };
    }
    const unquoted = text.startsWith("`") ? text.slice(1, -1) : this.#unquote(text);
    const value = kind === "char" ? (unquoted.codePointAt(0) ?? 0) : unquoted;
    return { kind: "literal", value, text, at };
  }

  #unquote(text: string): string {
    return text
      .slice(1, -1)
      .replace(/\\(u[\da-fA-F]{4}|U[\da-fA-F]{8}|x[\da-fA-F]{2}|[0-7]{3}|.)/g, (_, code: string) => {
        const named = escapes[code];
        if (named !== undefined) return named;
        const octal = /^[0-7]/.test(code);
        const point = Number.parseInt(octal ? code : code.slice(1), octal ? 8 : 16);
        if (!(point <= 0x10ffff) || code.length === 1) throw this.#problem("invalid syntax");
        return String.fromCodePoint(point);
      });
  }

  #checkVariable(name: string): void {
    if (!this.#variables.includes(name)) throw this.#problem(`undefined variable ${quote(name)}`);
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? { kind: "end", text: "EOF", at: this.#template.length };
  }

  #next(): Token {
    const token = this.#peek();
    this.#position++;
    return token;
  }

  #skipSpace(): void {
    while (this.#peek().kind === "space") this.#position++;
  }

  #problem(what: string): TemplateError {
    const at = this.#tokens[Math.min(this.#position, this.#tokens.length) - 1]?.at ?? 0;
    return new TemplateError(`template: :${lineOf(this.#template, at)}: ${what}`);
  }
}

const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
};

function quote(text: string): string {
  return JSON.stringify(text);
}
