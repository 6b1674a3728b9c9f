import { existsSync, symlinkSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { AT_FDCWD, RENAME_EXCHANGE, renameat2 } from "@strata/linux";

/** What the thread is given. */
export interface SwapOrder {
  /** Where a directory will be. */
  readonly path: string;
  /** What a symlink in its place leads to. */
  readonly target: string;
  /** [0]: swaps done so far; [1]: whether to stop. */
  readonly state: Int32Array;
}

// Exchanges a directory with a symlink and back, as soon as it is there and until it is told to stop. Each exchange is
// one step for the kernel: at every moment there is one of the two.

const { path, target, state }: SwapOrder = workerData;
const link = `${path}.swapped`;

parentPort?.postMessage("ready");
while (!existsSync(path) && !isToStop()) Atomics.wait(state, 1, 0, Math.random());
if (!isToStop()) symlinkSync(target, link);
while (!isToStop()) {
  // In the place of the directory for a moment only, so that the writer gets on between two of them.
  exchange();
  exchange();
  Atomics.add(state, 0, 1);
  Atomics.wait(state, 1, 0, Math.random());
}

function isToStop(): boolean {
  return Atomics.load(state, 1) !== 0;
}

function exchange(): void {
  renameat2(AT_FDCWD, path, AT_FDCWD, link, RENAME_EXCHANGE);
}
