import { expect } from "vitest";
import { longOperations } from "./long-operations.ts";
import { type DriverName, openStore, Scratch } from "./store.ts";
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
 * Do each operation of a store where there is no room, and again each time with a bit more, until it succeeds.
 * @returns how often each failed
 */
export async function growingRoom(driver: DriverName, room: Room): Promise<Record<string, number>> {
  await using archives = await Scratch.make();
  await using opened = await openStore(room.join("store"), driver);
  const failed: Record<string, number> = {};
  for (const { name, work, undo, reads } of await longOperations(archives, opened)) {
    // The thread, and what a first operation leaves for all others.
    await work(opened.store);
    await undo(opened);
    const before = await contentOf(opened);
    room.fill();
    let failures = 0;
    for (; ; failures += 1) {
      const error = await work(opened.store).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined) break;
      const what = `${name}, failure ${failures}: ${error}`;
      expect(error, what).toMatchObject({
        name: "StrataError",
        code: "NoSpace",
        message: expect.stringContaining("free some space"),
      });
      await expectUnchanged(opened, before, what);
      expect(room.more(), what).toBe(true);
    }
    room.relieve();
    expect(await opened.store.check(), name).toEqual([]);
    if (reads) expect(failures, name).toBe(0);
    await undo(opened);
    failed[name] = failures;
  }
  for (const name of ["load", "import", "commit"]) expect(failed[name], name).toBeGreaterThan(3);
  return failed;
}
