/** The program of a thread of {@link CopyHelpers}. */
import { parentPort, workerData } from "node:worker_threads";
import { S_IFDIR, S_IFMT, statx, unlinkat } from "@strata/linux";
import { type DirectoryPair, EntryCopier } from "./copy-entry.ts";
import { type Batch, type BatchReply, type HelperData, joinNames, splitNames } from "./helper-messages.ts";

if (parentPort === null) throw new Error("this module is the program of a worker thread");
const port = parentPort;
const { stop }: HelperData = workerData;
const isStopped = () => Atomics.load(stop, 0) !== 0;
const entries = new EntryCopier();

port.on("message", ({ parts }: Batch) => {
  const left = parts.map((part) => joinNames(splitNames(part.names).filter((name) => !tryCopy(part, name))));
  port.postMessage({ left } satisfies BatchReply);
});
port.postMessage({ left: [] } satisfies BatchReply);

/**
 * @returns false for what is not to be copied by itself, and for what failed: the thread that knows the whole tree will
 *   do it, or fail with the error, which so need not be sent
 */
function tryCopy(directories: DirectoryPair, name: Buffer): boolean {
  if (isStopped()) return false;
  let begun = false;
  try {
    const stat = statx(directories.source, name);
    if (stat.nlink > 1 || stat.mountRoot || (stat.mode & S_IFMT) === S_IFDIR) return false;
    begun = true;
    for (const _ of entries.copy(directories, name, stat)) if (isStopped()) break;
    return true;
  } catch {
    if (begun) takeBack(directories, name);
    return false;
  }
}

function takeBack({ copy }: DirectoryPair, name: Buffer): void {
  try {
    unlinkat(copy, name);
  } catch {
    // It was not made, or it is now in the way of the next attempt, which fails by it.
  }
}
