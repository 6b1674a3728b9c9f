/**
 * Align cells: the first column to the left, figures to the right, two spaces between. Columns that hold nothing but
 * their heading are left out.
 * @param headings - of all columns but the first
 */
export function alignColumns(rows: readonly (readonly string[])[], headings: readonly string[]): string[] {
  const isUsed = (heading: string, column: number) =>
    rows.some((cells) => cells[column] !== heading && cells[column] !== "");
  const kept = [0, ...headings.map((_, index) => index + 1)].filter(
    (column) => column === 0 || isUsed(headings[column - 1] ?? "", column),
  );
  const widths = kept.map((column) => Math.max(...rows.map((cells) => width(cells[column] ?? ""))));
  return rows.map((cells) =>
    kept
      .map((column, index) => {
        const cell = cells[column] ?? "";
        const padding = " ".repeat((widths[index] ?? 0) - width(cell));
        return index === 0 ? cell + padding : padding + cell;
      })
      .join("  ")
      .trimEnd(),
  );
}

/** Break words into lines of at most `length` characters, where words allow it. */
export function wrap(text: string, length: number, indent = ""): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(/\s+/).filter((each) => each !== "")) {
    if (line.length > indent.length && width(line) + 1 + width(word) > length) {
      lines.push(line);
      line = indent;
    }
    line += line.length > indent.length ? ` ${word}` : word;
  }
  return line.length > indent.length ? [...lines, line] : lines;
}

function width(text: string): number {
  return [...text].length;
}
