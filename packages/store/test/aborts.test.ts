import { readdirSync, readlinkSync } from "node:fs";
import { setImmediate, setTimeout } from "node:timers/promises";
import { mountsBelow } from "@strata/conformance/suite";
import { describe, expect, it } from "vitest";
import { longOperations } from "./support/long-operations.ts";
import { allDrivers, openStore, Scratch } from "./support/store.ts";
import { contentOf, expectUnchanged } from "./support/whole.ts";

/** The moments of an operation's life at which it is aborted: from its very beginning to long after its end. */
function* moments(): Generator<() => Promise<unknown>> {
  yield async () => {};
  yield () => setImmediate();
  for (let ms = 1; ms < 60_000; ms = ms * 2) yield () => setTimeout(ms);
}

/** What an abort could leave behind in this process: mounts and open files. Threads that are kept have none. */
function inProcess(root: string): object {
  const files = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ""; // That of this very readdir.
    }
  });
  return { mounts: mountsBelow(root).length, files: files.filter((path) => path.startsWith(root)) };
}

describe.each(allDrivers)("under %s", (driver) => {
  it("an abort at any moment of any long operation leaves nothing behind, and it works the next time", async () => {
    await using archives = await Scratch.make();
    await using scratch = await Scratch.make(driver);
    await using opened = await openStore(scratch.join("store"), driver);
    const aborted: Record<string, number> = {};
    for (const { name, work, undo } of await longOperations(archives, opened, 1_000_000)) {
      await work(opened.store);
      await undo(opened);
      const before = await contentOf(opened);
      const process = inProcess(scratch.path);
      let aborts = 0;
      for (const moment of moments()) {
        const controller = new AbortController();
        const reason = new Error(`abort ${aborts} of ${name}`);
        const [outcome] = await Promise.allSettled([
          work(opened.store, controller.signal),
          moment().then(() => controller.abort(reason)),
        ]);
        if (outcome.status === "fulfilled") break;
        expect(outcome.reason, name).toBe(reason);
        aborts += 1;
        await expectUnchanged(opened, before, reason.message);
        // Streams close by and by.
        await expect.poll(() => inProcess(scratch.path), { message: reason.message }).toEqual(process);
      }
      await undo(opened);
      aborted[name] = aborts;
    }
    console.log(`aborted under ${driver}: ${JSON.stringify(aborted)}`);
    for (const name of ["load", "import", "commit"]) expect(aborted[name], name).toBeGreaterThan(2);
  });
});
