import { on } from "node:events";
import type { Context } from "./context.ts";

/** Whether there is somebody to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true;
}

/**
 * Ask for a line on the terminal. The question goes to standard error, so that standard output holds results only.
 * @param isSecret - nothing of the answer is shown
 * @returns the line, empty if the terminal is at its end
 */
export async function ask(
  { stderr, signal }: Context,
  question: string,
  { isSecret = false }: { isSecret?: boolean } = {},
): Promise<string> {
  const { stdin } = process;
  const ignore = () => undefined;
  // A terminal that is gone cannot be set back either.
  stdin.on("error", ignore);
  // Node cannot switch off the echo alone: what the terminal does with keys otherwise is done by `edit`. Before the
  // question, since its answer may follow at once.
  if (isSecret) stdin.setRawMode(true);
  let isWhole = false;
  try {
    await stderr.write(question);
    let line = "";
    stdin.setEncoding("utf8").resume();
    for await (const [keys] of on(stdin, "data", { signal, close: ["end", "close"] })) {
      [line, isWhole] = edit(line, keys);
      if (isWhole) break;
    }
    return line;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    if (isSecret) stdin.setRawMode(false);
    stdin.pause();
    stdin.off("error", ignore);
    if (isSecret || !isWhole) await stderr.write("\n");
  }
}

/** What keys make of a line, as the terminal itself has it when it is not raw. @returns the line, and whether it is whole */
function edit(line: string, keys: string): [line: string, isWhole: boolean] {
  let characters = [...line];
  for (const key of keys) {
    if (key === "\r" || key === "\n" || key === endOfFile) return [characters.join(""), true];
    if (key === interrupt) process.kill(process.pid, "SIGINT");
    else if (key === killLine) characters = [];
    else if (key === "\x7f" || key === "\b") characters.pop();
    else if (key >= " ") characters.push(key);
  }
  return [characters.join(""), false];
}

const interrupt = "\x03";
const endOfFile = "\x04";
const killLine = "\x15";
