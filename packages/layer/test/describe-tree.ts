import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { builtTime } from "./build-layer.ts";

/**
 * A tree as lines, sorted, one a name: `d/`, `f = "content"`, `l -> target`, `p fifo`, `c char 1:3`, and, where they are
 * not those of `build-layer.ts`: the mode, `uid:gid`, `@` and the time in seconds, and `(first name)` of a further name
 * of one file. Names are shown as `latin1`. The root is left out if `root` is not set.
 */
export function describeTree(tree: string, { root = false } = {}): string[] {
  const firstNames = new Map<number, string>();
  const lines = root ? [describe(Buffer.from(tree), "./", firstNames)] : [];
  walk(Buffer.from(tree), "", lines, firstNames);
  return lines;
}

const slash = Buffer.from("/");

function walk(directory: Buffer, prefix: string, lines: string[], firstNames: Map<number, string>): void {
  for (const name of readdirSync(directory, { encoding: "buffer" }).sort(Buffer.compare)) {
    const path = Buffer.concat([directory, slash, name]);
    const shown = prefix + name.toString("latin1");
    lines.push(describe(path, shown, firstNames));
    if (lstatSync(path).isDirectory()) walk(path, `${shown}/`, lines, firstNames);
  }
}

function describe(path: Buffer, shown: string, firstNames: Map<number, string>): string {
  const stat = lstatSync(path);
  const words = [stat.isDirectory() && !shown.endsWith("/") ? `${shown}/` : shown];
  if (stat.isSymbolicLink()) words.push("->", readlinkSync(path, "latin1"));
  if (stat.isFile()) words.push("=", shorten(readFileSync(path, "latin1")));
  if (stat.isFIFO()) words.push("fifo");
  if (stat.isCharacterDevice()) words.push("char", `${stat.rdev >> 8}:${stat.rdev & 0xff}`);
  if (stat.isBlockDevice()) words.push("block", `${stat.rdev >> 8}:${stat.rdev & 0xff}`);
  const mode = stat.mode & 0o7777;
  if (mode !== (stat.isSymbolicLink() ? 0o777 : stat.isDirectory() ? 0o755 : 0o644))
    words.push(mode.toString(8));
  if (stat.uid !== 0 || stat.gid !== 0) words.push(`${stat.uid}:${stat.gid}`);
  if (stat.mtimeMs !== builtTime * 1000) words.push(`@${stat.mtimeMs / 1000}`);
  const first = stat.isDirectory() ? undefined : firstNames.get(stat.ino);
  if (first !== undefined) words.push(`(${first})`);
  firstNames.set(stat.ino, first ?? shown);
  return words.join(" ");
}

function shorten(content: string): string {
  return content.length > 40 ? `${content.length} bytes` : JSON.stringify(content);
}
