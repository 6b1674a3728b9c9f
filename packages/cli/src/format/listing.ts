import { Template } from "../template/template.ts";
import { type Row, toJson } from "../template/values.ts";
import { alignColumns } from "./columns.ts";

/** How the rows of one command are shown. */
export interface Listing {
  /** The columns of the plain table, as a template: `{{.ID}}\t{{.Size}}`. */
  readonly table: string;
  /** Go's name of a row's type, for error messages. */
  readonly typeName: string;
  /** The title of each field, wherever it is used as a column. */
  readonly headings: Readonly<Record<string, string>>;
}

/**
 * Docker's `--format`: nothing or `table` for the plain table, `table TEMPLATE`, `json` for an object a line, or a
 * template a line. `\t` and `\n` may be written out.
 * @returns lines
 * @throws TemplateError
 */
export function formatListing(listing: Listing, rows: readonly Row[], format = "table"): string[] {
  if (format === "json") return rows.map(toJson);
  const table = format === "table" || /^table\s/.test(format);
  const source = format === "table" ? listing.table : format.slice(table ? "table".length : 0).trim();
  const template = new Template((table ? source : format).replaceAll("\\t", "\t").replaceAll("\\n", "\n"));
  const lines = rows.map((row) => template.execute(row));
  if (!table) return lines;
  return alignColumns([template.heading(listing.headings), ...lines].flatMap((line) => line.split("\n")));
}
