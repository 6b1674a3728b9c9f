import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);
const packageDirectory = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The commit that this package is of, with `-dirty` if files were changed since; undefined, where it is not in a
 * checkout of its own, but, say, in somebody's `node_modules`.
 */
export async function checkedOutCommit(): Promise<string | undefined> {
  try {
    await git("ls-files", "--error-unmatch", "package.json");
    return await git("describe", "--always", "--abbrev=40", "--exclude=*", "--dirty");
  } catch {
    return undefined;
  }
}

async function git(...args: readonly string[]): Promise<string> {
  return (await execute("git", args, { cwd: packageDirectory })).stdout.trim();
}
