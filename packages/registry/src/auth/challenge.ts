/** One way to prove who asks, as a server names it. */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** By lower-case name: `realm`, `service`, `scope`, `error`. */
  readonly parameters: ReadonlyMap<string, string>;
}

const space = /[ \t]*/y;
const separators = /[ \t,]*/y;
const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const token68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
/** Not a token, as it ought to be: a URL that somebody forgot to quote is understood too. */
const unquoted = /[^\s,]+/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;

/**
 * Read `WWW-Authenticate`: one header or several, each with one challenge or several, values quoted or not. Reading ends
 * where a header cannot be understood any more; what came before counts.
 * @see RFC 9110, section 11.6.1
 */
export function parseChallenges(headers: string | readonly string[] | undefined): Challenge[] {
  const lines = headers === undefined ? [] : typeof headers === "string" ? [headers] : headers;
  return lines.flatMap(parseLine);
}

function parseLine(line: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (form: RegExp): RegExpExecArray | undefined => {
    form.lastIndex = at;
    const match = form.exec(line);
    if (match === null) return undefined;
    at = form.lastIndex;
    return match;
  };

  for (;;) {
    take(separators);
    const name = take(token)?.[0].toLowerCase();
    if (name === undefined) return challenges;
    take(space);
    const current = challenges.at(-1);
    if (line[at] === "=" && current !== undefined) {
      at += 1;
      take(space);
      const text = take(quoted)?.[1]?.replace(/\\(.)/g, "$1") ?? take(unquoted)?.[0];
      if (text === undefined) return challenges;
      if (!current.parameters.has(name)) current.parameters.set(name, text);
    } else {
      challenges.push({ scheme: name, parameters: new Map() });
      // `Negotiate a3Bh==`: no parameter, and nothing that a registry asks for.
      take(token68);
    }
  }
}
