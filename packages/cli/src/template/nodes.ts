/** A parsed template. Each expression keeps its own source text, which errors quote. */
export type Node = TextNode | ActionNode | BranchNode;

export interface TextNode {
  readonly kind: "text";
  readonly text: string;
}

export interface ActionNode {
  readonly kind: "action";
  readonly pipe: Pipe;
}

export interface BranchNode {
  readonly kind: "if" | "range" | "with";
  readonly pipe: Pipe;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

/** `$x := a | b`: each command's value is the last argument of the next. */
export interface Pipe {
  readonly kind: "pipe";
  /** `$x`, or `$i` and `$x` in a range. */
  readonly variables: readonly string[];
  /** Declared with `:=`, as against assigned with `=`. */
  readonly declares: boolean;
  readonly commands: readonly Command[];
  readonly text: string;
  readonly at: number;
}

/** A value, or a function or method with its arguments. */
export interface Command {
  readonly operands: readonly [Operand, ...Operand[]];
  readonly text: string;
  readonly at: number;
}

export type Operand = LiteralNode | FunctionNode | PathNode | Pipe;

export interface LiteralNode {
  readonly kind: "literal";
  /** `undefined` is `nil`. */
  readonly value: string | number | boolean | undefined;
  readonly text: string;
  readonly at: number;
}

export interface FunctionNode {
  readonly kind: "function";
  readonly name: string;
  readonly text: string;
  readonly at: number;
}

/** `.`, `.A.B`, `$x.A` or `(pipe).A`. */
export interface PathNode {
  readonly kind: "path";
  readonly from: "dot" | Pipe | { readonly variable: string };
  readonly fields: readonly string[];
  readonly text: string;
  readonly at: number;
}
