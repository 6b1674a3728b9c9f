import { z } from "zod";
import { resultsSchema, schemaVersion } from "./schema.ts";

type Node = z.core.JSONSchema.BaseSchema;

/** The page that says what each field of the results is, in Markdown. */
export function schemaPage(): string {
  const root: Node = z.toJSONSchema(resultsSchema);
  return `# Results of strata bench

What \`strata bench --json\` writes: one JSON object with everything that was measured, raw samples included. Tables, pages
with plots, comparisons and the advice are made of it alone. This page is of schema version ${schemaVersion}, and is written from the
schema itself (\`benchmarks/src/results/schema.ts\`) with \`npm run docs:bench\`; a test fails when it is stale.

Units are part of a field's name: \`…Milliseconds\`, \`…Bytes\`, \`…Files\`, \`…Percent\`. A field marked *optional* may be
absent; \`schemaVersion\` goes up when a field changes its meaning or goes, while new ones may come without, so a reader
leaves out what it does not know.

\`strata bench compare a.json b.json\` takes two of them: what has the same \`workload\`, \`title\`, \`parameters\`, \`threads\`,
\`operation\` and \`subject\` is compared.

${sections("The results", root).join("\n\n")}
`;
}

/** A table of an object's fields, and then those of the objects in it. */
function sections(title: string, node: Node): string[] {
  const required = node.required ?? [];
  const fields = Object.entries(node.properties ?? {}).map(([name, value]) => ({
    name,
    value: nodeOf(value),
  }));
  const rows = fields.map(({ name, value }) => {
    const optional = required.includes(name) ? "" : ", *optional*";
    return `| ${code(name)} | ${typeText(value)}${optional} | ${value.description ?? ""} |`;
  });
  const table = [`## ${title}`, "", "| Field | Type | What it is |", "|---|---|---|", ...rows].join("\n");
  const inner = fields.flatMap(({ name, value }) => {
    const object = value.type === "array" ? nodeOf(value.items) : value;
    return object.properties === undefined ? [] : sections(pathOf(title, name, value), object);
  });
  return [table, ...inner];
}

/** `measurements[].rounds[]`, as code */
function pathOf(title: string, name: string, { type }: Node): string {
  const parent = title.startsWith("`") ? `${title.slice(1, -1)}.` : "";
  return code(`${parent}${name}${type === "array" ? "[]" : ""}`);
}

function typeText(node: Node): string {
  if (node.const !== undefined) return code(JSON.stringify(node.const));
  if (node.enum !== undefined) return node.enum.map((value) => code(JSON.stringify(value))).join(" or ");
  if (node.anyOf !== undefined) return node.anyOf.map((each) => typeText(nodeOf(each))).join(" or ");
  if (node.type === "array") return `array of ${plural(typeText(nodeOf(node.items)))}`;
  if (node.properties === undefined && node.additionalProperties !== undefined) {
    return `object of names and ${typeText(nodeOf(node.additionalProperties))}`;
  }
  return node.format === "date-time"
    ? "string (date and time)"
    : [node.type ?? "anything"].flat().join(" or ");
}

function plural(type: string): string {
  return /^\w+$/.test(type) ? `${type}s` : type;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** What says nothing is an empty schema. */
function nodeOf(value: Node["items"] | Node["additionalProperties"]): Node {
  return typeof value === "object" && !Array.isArray(value) ? value : {};
}
