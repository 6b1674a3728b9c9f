const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Plain text, for between tags and in quoted attributes. */
export function escaped(plain: string): string {
  return plain.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

/** A value, for a script element: nothing in it ends the element, or opens a comment. */
export function json(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
