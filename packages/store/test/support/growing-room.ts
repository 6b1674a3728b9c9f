import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import { longOperations } from "./long-operations.ts";
import { type DriverName, openStore, Scratch } from "./store.ts";
import { unowned } from "./unowned.ts";
import { contentOf, expectUnchanged } from "./whole.ts";

/** A place for a store whose room can be taken away, and given back step by step. */
export interface Room {
  join(...names: readonly string[]): string;
  /** Leave no room at all. */
  fill(): void;
  /** Give a bit back. @returns whether there was anything left to give */
  more(): boolean;
  /** Give everything back. */
  relieve(): void;
}

/**
 * Do each operation of a store where there is no room, and again each time with a bit more, until it succeeds; the same
 * with the removal of what it made.
 * @returns how often each failed
 */
export async function growingRoom(driver: DriverName, room: Room): Promise<Record<string, number>> {
  await using archives = await Scratch.make();
  await using opened = await openStore(room.join("store"), driver);
  const { store } = opened;
  const failed: Record<string, number> = {};
  for (const { name, work, undo, reads } of await longOperations(archives, opened)) {
    // The thread, and what a first operation leaves for all others.
    await work(store);
    await undo(opened);
    const before = await contentOf(opened);
    const failures = await untilItFits(
      room,
      () => work(store),
      (what) => expectUnchanged(opened, before, `${name}, ${what}`),
    );
    expect(await store.check(), name).toEqual([]);
    if (reads) expect(failures, name).toBe(0);
    failed[name] = failures;

    const made = await contentOf(opened);
    if (isDeepStrictEqual(made, before)) continue;
    const removals = await untilItFits(
      room,
      () => undo(opened),
      (what) => expectUnchanged(opened, made, `undo ${name}, ${what}`),
    );
    failed[`undo ${name}`] = removals;
    await store.gc();
    expect(await contentOf(opened), name).toEqual(before);
    expect(await unowned(opened), name).toEqual([]);
    expect(await store.check(), name).toEqual([]);
  }
  for (const name of ["load", "import", "commit"]) expect(failed[name], name).toBeGreaterThan(3);
  return failed;
}

async function untilItFits(
  room: Room,
  work: () => Promise<unknown>,
  afterFailure: (what: string) => Promise<void>,
): Promise<number> {
  room.fill();
  for (let failures = 0; ; failures += 1) {
    const error = await work().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error === undefined) {
      room.relieve();
      return failures;
    }
    const what = `failure ${failures}: ${error}`;
    expect(error, what).toMatchObject({
      name: "StrataError",
      code: "NoSpace",
      message: expect.stringContaining("free some space"),
    });
    await afterFailure(what);
    expect(room.more(), what).toBe(true);
  }
}
