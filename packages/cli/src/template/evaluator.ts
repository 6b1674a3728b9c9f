import { functions, mismatch, type TemplateFunction } from "./functions.ts";
import type { BranchNode, Command, FunctionNode, Node, Operand, PathNode, Pipe } from "./nodes.ts";
import { columnOf, lineOf, TemplateError } from "./template-error.ts";
import { isMap, isNil, isTrue, Row, toText, typeName } from "./values.ts";

/**
 * Run a parsed template on `data`.
 * @param source - the template's text, for the place that errors name
 * @param heading - the data are a table's headings
 * @throws TemplateError
 */
export function evaluate(nodes: readonly Node[], source: string, data: unknown, heading = false): string {
  return new Evaluator(source, data, heading).run(nodes, data);
}

interface Place {
  readonly text: string;
  readonly at: number;
}

/** A value, or that there is none: the first stage of a pipe has no value before it. */
type Previous = readonly [] | readonly [unknown];

class Evaluator {
  readonly #source: string;
  readonly #heading: boolean;
  /** Innermost last; a name may be there more than once. */
  readonly #variables: { name: string; value: unknown }[];

  constructor(source: string, data: unknown, heading: boolean) {
    this.#source = source;
    this.#heading = heading;
    this.#variables = [{ name: "$", value: data }];
  }

  run(nodes: readonly Node[], dot: unknown): string {
    return nodes.map((node) => this.#node(node, dot)).join("");
  }

  #node(node: Node, dot: unknown): string {
    if (node.kind === "text") return node.text;
    if (node.kind !== "action") return this.#scoped(() => this.#branch(node, dot));
    const value = this.#pipe(node.pipe, dot);
    if (node.pipe.variables.length > 0) return "";
    return isNil(value) ? "<no value>" : toText(value);
  }

  #scoped<T>(run: () => T): T {
    const depth = this.#variables.length;
    const result = run();
    this.#variables.length = depth;
    return result;
  }

  #branch(node: BranchNode, dot: unknown): string {
    if (node.kind === "range") return this.#range(node, dot);
    const value = this.#pipe(node.pipe, dot);
    if (!isTrue(value)) return this.run(node.otherwise, dot);
    return this.run(node.body, node.kind === "with" ? value : dot);
  }

  #range({ pipe, body, otherwise }: BranchNode, dot: unknown): string {
    // The variables hold the elements, not the list.
    const list = this.#pipe({ ...pipe, variables: [] }, dot);
    const entries = this.#entries(list, pipe);
    if (entries.length === 0) return this.run(otherwise, dot);
    return entries
      .map(([key, value]) =>
        this.#scoped(() => {
          const values = pipe.variables.length === 2 ? [key, value] : [value];
          pipe.variables.forEach((name, index) => {
            this.#variables.push({ name, value: values[index] });
          });
          return this.run(body, value);
        }),
      )
      .join("");
  }

  #entries(list: unknown, pipe: Pipe): (readonly [unknown, unknown])[] {
    if (isNil(list)) return [];
    if (Array.isArray(list)) return list.map((value, index) => [index, value] as const);
    if (isMap(list))
      return Object.keys(list)
        .sort()
        .map((key) => [key, list[key]] as const);
    throw this.#problem(pipe, `range can't iterate over ${toText(list)}`);
  }

  #pipe(pipe: Pipe, dot: unknown): unknown {
    let previous: Previous = [];
    for (const command of pipe.commands) previous = [this.#command(command, dot, previous)];
    const value = previous[0];
    for (const name of pipe.variables) this.#assign(name, value, pipe.declares);
    return value;
  }

  #assign(name: string, value: unknown, declares: boolean): void {
    const variable = declares ? undefined : this.#variables.findLast((known) => known.name === name);
    if (variable) variable.value = value;
    else this.#variables.push({ name, value });
  }

  #command(command: Command, dot: unknown, previous: Previous): unknown {
    const [first, ...rest] = command.operands;
    if (first.kind === "function") return this.#call(first, command, rest, dot, previous);
    if (first.kind === "path") return this.#path(first, dot, rest, previous);
    if (first.kind === "literal" && first.value === undefined)
      throw this.#problem(first, "nil is not a command");
    if (rest.length > 0 || previous.length > 0)
      throw this.#problem(first, `can't give argument to non-function ${first.text}`);
    return this.#operand(first, dot);
  }

  #operand(operand: Operand, dot: unknown): unknown {
    switch (operand.kind) {
      case "literal":
        return operand.value;
      case "pipe":
        return this.#pipe(operand, dot);
      case "path":
        return this.#path(operand, dot, [], []);
      case "function":
        return this.#call(operand, operand, [], dot, []);
    }
  }

  #call(
    name: FunctionNode,
    whole: Place,
    operands: readonly Operand[],
    dot: unknown,
    previous: Previous,
  ): unknown {
    const called = functions.get(name.name);
    if (!called) throw this.#problem(name, `${JSON.stringify(name.name)} is not a defined function`);
    const given = operands.length + previous.length;
    const wanted = called.parameters.length;
    if (called.variadic ? given < wanted : given !== wanted)
      throw this.#problem(
        name,
        `wrong number of args for ${name.name}: want ${called.variadic ? "at least " : ""}${wanted} got ${given}`,
      );
    const values: unknown[] = [];
    for (const operand of operands) {
      values.push(this.#argument(operand, this.#operand(operand, dot), called, values.length));
      if (called.decides?.(values.at(-1))) return called.call(...values);
    }
    if (previous.length > 0) values.push(this.#argument(whole, previous[0], called, operands.length));
    try {
      return (this.#heading && called.onHeading ? called.onHeading : called.call)(...values);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw this.#problem({ text: whole.text, at: name.at }, `error calling ${name.name}: ${why}`);
    }
  }

  #argument(place: Place, value: unknown, called: TemplateFunction, index: number): unknown {
    const wrong = mismatch(value, called.parameters[index] ?? "any");
    // Headings are words whatever their column holds.
    if (wrong !== undefined && !this.#heading) throw this.#problem(place, wrong);
    return value;
  }

  #path(node: PathNode, dot: unknown, operands: readonly Operand[], previous: Previous): unknown {
    const given = operands.length + previous.length;
    if (node.fields.length === 0) {
      if (given > 0) throw this.#problem(node, `can't give argument to non-function ${node.text}`);
      return this.#start(node, dot);
    }
    return node.fields.reduce<unknown>(
      (value, name, index) => {
        const last = index === node.fields.length - 1;
        const values = last ? [...operands.map((operand) => this.#operand(operand, dot)), ...previous] : [];
        return this.#field(node, value, name, values);
      },
      this.#start(node, dot),
    );
  }

  #start({ from }: PathNode, dot: unknown): unknown {
    if (from === "dot") return dot;
    if ("kind" in from) return this.#pipe(from, dot);
    return this.#variables.findLast(({ name }) => name === from.variable)?.value;
  }

  #field(node: PathNode, value: unknown, name: string, values: readonly unknown[]): unknown {
    if (value instanceof Row) return this.#rowField(node, value, name, values);
    if (isMap(value)) {
      if (!Object.hasOwn(value, name))
        throw this.#problem(node, `map has no entry for key ${JSON.stringify(name)}`);
      if (values.length > 0) throw this.#problem(node, `${name} is not a method but has arguments`);
      return value[name];
    }
    if (isNil(value)) throw this.#problem(node, `nil data; no entry for key ${JSON.stringify(name)}`);
    throw this.#problem(node, `can't evaluate field ${name} in type ${typeName(value)}`);
  }

  #rowField(node: PathNode, row: Row, name: string, values: readonly unknown[]): unknown {
    const field = row.field(name);
    if (!field) throw this.#problem(node, `can't evaluate field ${name} in type ${row.typeName}`);
    if (values.length !== field.length)
      throw this.#problem(
        node,
        `wrong number of args for ${name}: want ${field.length} got ${values.length}`,
      );
    return field(String(values[0]));
  }

  /** In the words of Go's text/template. */
  #problem({ text, at }: Place, what: string): TemplateError {
    const place = `${lineOf(this.#source, at)}:${columnOf(this.#source, at)}`;
    return new TemplateError(`template: :${place}: executing "" at <${text}>: ${what}`);
  }
}
