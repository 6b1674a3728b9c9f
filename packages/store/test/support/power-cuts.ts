import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync, watch } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type LoopFileSystem, mountsBelow } from "@strata/conformance/suite";
import { MNT_DETACH, umount2 } from "@strata/linux";
import { type Files, imageOf } from "./image.ts";
import { archiveOf } from "./load.ts";
import type { DriverName, Scratch } from "./store.ts";

/** The disk as it was at one moment, and what must be on it. */
export interface PowerCut {
  /** A clone of the disk's image. */
  readonly image: string;
  /** Those that had been reported committed before, and were not begun to be removed. */
  readonly committed: readonly string[];
  /** In words. */
  readonly moment: string;
}

/** How many images the process has in turn, each a few megabytes. */
const imageCount = 3;

/** All that may be there, by reference: the files and their contents. */
export function expectedImages(): ReadonlyMap<string, Files> {
  const expected = new Map<string, Files>();
  for (let n = 0; n < imageCount; n += 1) {
    const loaded = { ...baseFiles(), ...ownFiles(n) };
    expected.set(`loaded:${n}`, without(loaded, "base/1"));
    expected.set(`made:${n}`, {
      ...without(loaded, "base/1"),
      "made/file": `made on ${n} `.repeat(5000),
      "base/0": `changed on ${n}`,
    });
  }
  return expected;
}

/**
 * Let a process load, commit and remove images in a store on `disk`, and clone the disk at some moments: by turns at
 * whatever moment, and as soon as an image was reported.
 */
export async function cutPower(
  disk: LoopFileSystem,
  driver: DriverName,
  scratch: Scratch,
  { count, random }: { readonly count: number; readonly random: () => number },
): Promise<PowerCut[]> {
  const journal = scratch.join(`journal-${driver}`);
  await writeFile(journal, "");
  const archives: string[] = [];
  for (let n = 0; n < imageCount; n += 1) {
    const image = await imageOf([baseFiles(), { ...ownFiles(n), "base/.wh.1": "" }]);
    archives.push(await archiveOf(scratch, [{ image, tags: [`loaded:${n}`] }]));
  }
  const fixture = join(import.meta.dirname, "..", "fixtures", "work-on.mjs");
  const child = fork(fixture, [disk.join("store"), driver, journal, ...archives]);
  const cuts: PowerCut[] = [];
  try {
    while (cuts.length < count) {
      const atReport = cuts.length % 2 === 1;
      if (atReport) await nextLine(journal, child);
      const waitMs = atReport ? 0 : random() * longestWaitMs;
      await setTimeout(waitMs);
      const before = readFileSync(journal, "utf8");
      const image = await disk.cloneImage();
      const meanwhile = readFileSync(journal, "utf8").slice(before.length);
      cuts.push({
        image,
        committed: committedBy(before).filter((name) => !meanwhile.includes(`- ${name}\n`)),
        moment: `cut ${cuts.length + 1}, ${atReport ? "after a report" : `after ${waitMs.toFixed()} ms`}`,
      });
      if (child.exitCode !== null) throw new Error("the process ended by itself");
    }
  } finally {
    const exited = child.exitCode === null ? once(child, "exit") : undefined;
    child.kill("SIGKILL");
    await exited;
    for (const path of mountsBelow(disk.path).reverse()) umount2(path, MNT_DETACH);
  }
  return cuts;
}

/** Some rounds of the process. */
const longestWaitMs = 1500;

async function nextLine(journal: string, child: ChildProcess): Promise<void> {
  const stop = new AbortController();
  const watcher = watch(journal);
  try {
    await Promise.race([
      once(watcher, "change", { signal: stop.signal }),
      once(child, "exit", { signal: stop.signal }),
    ]);
  } finally {
    stop.abort();
    watcher.close();
  }
}

/** What had been reported, and had not been begun to be removed. */
function committedBy(journal: string): string[] {
  const committed = new Set<string>();
  for (const line of journal.split("\n")) {
    const reference = line.slice(2);
    if (line.startsWith("+")) committed.add(reference);
    if (line.startsWith("-")) committed.delete(reference);
  }
  return [...committed];
}

function baseFiles(): Files {
  return Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`base/${n}`, `base ${n} `.repeat(4000)]));
}

function ownFiles(image: number): Files {
  const name = (n: number) => `own-${image}/${n % 3}/${n}`;
  return Object.fromEntries(
    Array.from({ length: 30 }, (_, n) => [name(n), `own ${image} ${n} `.repeat(3000)]),
  );
}

function without(files: Files, path: string): Files {
  const { [path]: _, ...others } = files;
  return others;
}
