import { spawn } from "node:child_process";
import { cleanEnvironment } from "./strata.ts";

/** What a terminal was sent. */
export interface Session {
  readonly code: number;
  /** Everything, escape sequences and all. */
  readonly raw: string;
  /** What stands on the screen at the end, without trailing blanks. */
  readonly screen: readonly string[];
}

export interface TerminalOptions {
  /** @defaultValue 120 */
  readonly columns?: number;
  /** @defaultValue 40 */
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Keys to press, or something else to do, each after what has been seen before it. */
  readonly keys?: readonly { readonly after: RegExp; readonly press: string | (() => void) }[];
}

const patienceMs = 60_000;

/** Run a shell command on a real terminal: a pty, made by script(1) of util-linux. */
export async function onTerminal(command: string, options: TerminalOptions = {}): Promise<Session> {
  const { columns = 120, rows = 40, env = {}, keys = [] } = options;
  const sized = `stty cols ${columns} rows ${rows} -onlcr; ${command}`;
  const child = spawn("script", ["-qec", sized, "/dev/null"], {
    env: { ...cleanEnvironment(), TERM: "xterm", SHELL: "/bin/bash", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let raw = "";
  let seen = 0;
  const waiting = [...keys];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    raw += chunk;
    for (let next = waiting[0]; next?.after.test(raw.slice(seen)); next = waiting[0]) {
      seen = raw.length;
      if (typeof next.press === "string") child.stdin.write(next.press);
      else next.press();
      waiting.shift();
    }
  });
  let late = false;
  const patience = setTimeout(() => {
    late = true;
    child.kill();
  }, patienceMs);
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve(status ?? 128));
  });
  clearTimeout(patience);
  if (late) throw new Error(`${command} waits for ${waiting[0]?.after ?? "its end"} after:\n${raw}`);
  return { code, raw, screen: draw(raw, columns) };
}

const control = /\x1b\[(\d*)([ABK])|\x1b\[\?\d+[hl]|\r|\n|[^\x1b\r\n]/gu;

/** As a terminal does, for the few sequences that the command sends: up, down, erase the line. Long lines wrap. */
function draw(raw: string, columns: number): string[] {
  const lines: string[] = [];
  let row = 0;
  let column = 0;
  for (const [text, count, action] of raw.matchAll(control)) {
    if (action === "A") row = Math.max(0, row - Number(count || 1));
    else if (action === "B") row += Number(count || 1);
    else if (action === "K") lines[row] = "";
    else if (text === "\r") column = 0;
    else if (text === "\n") [row, column] = [row + 1, 0];
    else if (!text.startsWith("\x1b")) {
      if (column === columns) [row, column] = [row + 1, 0];
      const line = (lines[row] ?? "").padEnd(column);
      lines[row] = line.slice(0, column) + text + line.slice(column + text.length);
      column += text.length;
    }
  }
  return Array.from(lines, (line) => (line ?? "").trimEnd());
}
