/** Cut to `length` characters, the last of which is an ellipsis then. */
export function ellipsis(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

/** The 12 hex digits that docker shows of an ID or digest. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12);
}

const controls = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * Make control characters visible (`\n`, `\x1b`), so that a name from an archive can neither break a line nor steer
 * the terminal it is shown on, nor reverse the text around it.
 */
export function escapeControls(text: string): string {
  return text.replace(controls, (character) => {
    const code = character.charCodeAt(0);
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    if (character === "\r") return "\\r";
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });
}
