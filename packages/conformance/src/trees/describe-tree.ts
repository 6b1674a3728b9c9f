import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { AT_FDCWD, getxattrat, listxattrat } from "@strata/linux";
import { builtTime } from "../tar/entries.ts";

export interface DescribeOptions {
  /** Begin with a line for the root, `./`. @defaultValue false */
  readonly root?: boolean;
  /** @defaultValue true */
  readonly owners?: boolean;
}

/**
 * A tree as lines, sorted bytewise, one a name: `d/`, `f = "content"`, `l -> target`, `p fifo`, `c char 1:3`. What
 * differs from the usual follows: the mode, `uid:gid`, `@` and the time in seconds if it is not that of an entry of
 * {@link builtTime}, `{name: "value"}` of extended attributes, and `(first name)` of a further name of one file.
 * Bytes are shown as `latin1`.
 */
export function describeTree(at: string, { root = false, owners = true }: DescribeOptions = {}): string[] {
  const describe = describer(owners);
  const walk = (directory: Buffer, prefix: string): string[] =>
    readdirSync(directory, { encoding: "buffer" })
      .sort(Buffer.compare)
      .flatMap((name) => {
        const path = Buffer.concat([directory, Buffer.from("/"), name]);
        const shown = prefix + name.toString("latin1");
        const line = describe(path, shown);
        return lstatSync(path).isDirectory() ? [line, ...walk(path, `${shown}/`)] : [line];
      });
  const top = Buffer.from(at);
  return [...(root ? [describe(top, ".")] : []), ...walk(top, "")];
}

function describer(owners: boolean): (path: Buffer, shown: string) => string {
  const firstNames = new Map<bigint, string>();
  return (path, shown) => {
    const stat = lstatSync(path, { bigint: true });
    const words = [stat.isDirectory() ? `${shown}/` : shown];
    if (stat.isSymbolicLink()) words.push("->", readlinkSync(path, "latin1"));
    if (stat.isFile()) words.push("=", shorten(readFileSync(path, "latin1")));
    if (stat.isFIFO()) words.push("fifo");
    if (stat.isCharacterDevice()) words.push("char", `${stat.rdev >> 8n}:${stat.rdev & 0xffn}`);
    const mode = Number(stat.mode & 0o7777n);
    if (mode !== (stat.isSymbolicLink() ? 0o777 : stat.isDirectory() ? 0o755 : 0o644))
      words.push(mode.toString(8));
    if (owners && (stat.uid !== 0n || stat.gid !== 0n)) words.push(`${stat.uid}:${stat.gid}`);
    const billion = 1_000_000_000n;
    const [seconds, fraction] = [stat.mtimeNs / billion, stat.mtimeNs % billion];
    if (fraction !== 0n) words.push(`@${seconds}.${`${fraction}`.padStart(9, "0")}`);
    else if (seconds !== BigInt(builtTime)) words.push(`@${seconds}`);
    words.push(...describeXattrs(path));
    const first = stat.isDirectory() ? undefined : firstNames.get(stat.ino);
    if (first !== undefined) words.push(`(${first})`);
    firstNames.set(stat.ino, first ?? shown);
    return words.join(" ");
  };
}

function describeXattrs(path: Buffer): string[] {
  return listXattrs(path).map((name) => `{${name}: ${shorten(readXattr(path, name))}}`);
}

/** Without the host's own labels. */
function listXattrs(path: Buffer): string[] {
  try {
    const names = listxattrat(AT_FDCWD, path).map((name) => name.toString("latin1"));
    return names.filter((name) => name !== "security.selinux").sort();
  } catch {
    // The file system has none.
    return [];
  }
}

function readXattr(path: Buffer, name: string): string {
  return getxattrat(AT_FDCWD, path, name)?.toString("latin1") ?? "";
}

function shorten(content: string): string {
  return content.length > 40 ? `${content.length} bytes` : JSON.stringify(content);
}
