import { evaluate } from "./evaluator.ts";
import { functions } from "./functions.ts";
import type { Node } from "./nodes.ts";
import { parseTemplate } from "./parser.ts";

const names: ReadonlySet<string> = new Set(functions.keys());

/** A parsed `--format` template. */
export class Template {
  readonly #source: string;
  readonly #nodes: readonly Node[];

  /** @throws TemplateError, if `source` is not a template or calls an unknown function */
  constructor(source: string) {
    this.#source = source;
    this.#nodes = parseTemplate(source, names);
  }

  /** @throws TemplateError, if `data` has no such field, or a function refuses its arguments */
  execute(data: unknown): string {
    return evaluate(this.#nodes, this.#source, data);
  }

  /** The heading of a table's columns: `headings` maps each field to its title. */
  heading(headings: Readonly<Record<string, string>>): string {
    return evaluate(this.#nodes, this.#source, headings, true);
  }
}
