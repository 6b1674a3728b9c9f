const minimumWidth = 10;
const padding = 3;

/**
 * Align tab-separated lines as docker does (Go's text/tabwriter): a column is at least 10 wide with its padding of
 * 3; it ends where a line lacks it. What follows a line's last tab belongs to no column.
 */
export function alignColumns(lines: readonly string[]): string[] {
  const rows = lines.map((line) => line.split("\t"));
  const texts = rows.map(() => "");
  align(rows, texts, 0, rows.length, 0);
  return texts;
}

/** Append column `column` of the lines `from` to `to`, and what is to its right, to `texts`. */
function align(
  rows: readonly (readonly string[])[],
  texts: string[],
  from: number,
  to: number,
  column: number,
): void {
  let row = from;
  while (row < to) {
    const cells = rows[row] ?? [];
    if (column >= cells.length - 1) {
      texts[row] += cells[column] ?? "";
      row++;
      continue;
    }
    const start = row;
    while (row < to && column < (rows[row]?.length ?? 0) - 1) row++;
    const block = rows.slice(start, row).map((line) => line[column] ?? "");
    const width = Math.max(minimumWidth, ...block.map((cell) => length(cell) + padding));
    block.forEach((cell, index) => {
      texts[start + index] += cell + " ".repeat(width - length(cell));
    });
    align(rows, texts, start, row, column + 1);
  }
}

function length(text: string): number {
  return [...text].length;
}
