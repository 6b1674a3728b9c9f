import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { imageOf } from "./support/image.ts";
import { archiveOf } from "./support/load.ts";
import { allDrivers, type OpenedStore, openStore, Scratch } from "./support/store.ts";
import { unowned } from "./support/unowned.ts";

const run = promisify(execFile);

const seed = Number(process.env["STRATA_SEED"] ?? Date.now() % 1e9);
/** So long each driver is worked on; all at the same time. */
const durationMs = Number(process.env["STRATA_SOAK_MINUTES"] ?? "1") * 60_000;

/** The conflicts that are documented in docs/reliability.md; whatever else a process meets is a defect. */
const conflicts: Readonly<Record<string, readonly string[]>> = {
  // Another process has removed the image that was named.
  create: ["NotFound"],
  tag: ["NotFound"],
  // The same; or a container of another process uses it, or an image was committed on top of it.
  "rmi shared": ["NotFound", "FailedPrecondition", "Busy"],
  // A container of this process uses it, or an image of another was committed on top of it.
  "rmi own": ["FailedPrecondition", "Busy"],
  // The container's image has been removed.
  commit: ["FailedPrecondition"],
};

interface Report {
  readonly done: Readonly<Record<string, number>>;
  readonly errors: readonly { readonly name: string; readonly code: string; readonly message: string }[];
  readonly kept: readonly (readonly [reference: string, id: string])[];
  readonly containers: readonly string[];
}

async function work(opened: OpenedStore, archives: object, process_: number): Promise<Report> {
  const fixture = join(import.meta.dirname, "fixtures", "worker.mjs");
  const json = JSON.stringify({ archives, mine: `mine${process_}` });
  const args = [fixture, opened.root, opened.driver.name, `${seed + process_}`, `${durationMs}`, json];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout);
}

describe("four processes at once on one store", () => {
  it.concurrent.each(allDrivers)(
    "lose no image and leave nothing unowned under %s",
    async (driver) => {
      await using scratch = await Scratch.make(driver);
      await using opened = await openStore(scratch.join("store"), driver);
      const base = { "base/file": "x".repeat(100_000) };
      const archives = await Promise.all(
        ["a", "b", "c"].map(async (name) => {
          const image = await imageOf([base, { [name]: name }, { [`${name}2`]: name.repeat(50_000) }]);
          const tag = `shared-${name}:1`;
          return { path: await archiveOf(scratch, [{ image, tags: [tag] }]), tag };
        }),
      );
      for (const { path } of archives) await opened.store.load(path);

      const reports = await Promise.all([1, 2, 3, 4].map((number) => work(opened, archives, number)));

      const total: Record<string, number> = {};
      for (const { done, errors } of reports) {
        for (const [name, count] of Object.entries(done)) total[name] = (total[name] ?? 0) + count;
        for (const { name, code, message } of errors) {
          expect(conflicts[name] ?? [], `${name} (seed ${seed}): ${message}`).toContain(code);
          total[`${name} ${code}`] = (total[`${name} ${code}`] ?? 0) + 1;
        }
      }
      console.log(`four processes under ${driver}, seed ${seed}: ${JSON.stringify(total)}`);
      for (const { kept, containers } of reports) {
        for (const [reference, id] of kept)
          expect((await opened.store.resolve(reference)).id, reference).toBe(id);
        for (const id of containers) expect((await opened.store.container(id)).id).toBe(id);
      }
      expect(await opened.store.check()).toEqual([]);
      await opened.store.gc();
      expect(await unowned(opened)).toEqual([]);
      expect(await opened.store.check()).toEqual([]);
    },
    durationMs + 300_000,
  );
});
