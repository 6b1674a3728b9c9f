import { randomInt } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describeWith } from "@strata/conformance";
import { randomNumbers } from "@strata/conformance/suite";
import { isStrataError } from "@strata/core";
import { pull, type Registries } from "@strata/registry";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hex, imageOf, sha256 } from "../../store/test/support/image.ts";
import { Remote } from "../../store/test/support/remote.ts";
import { drivers, treeOf } from "../../store/test/support/store.ts";
import { contentOf } from "../../store/test/support/whole.ts";
import { expectClear, hastily } from "./support/clear-errors.ts";
import { Pulling, random as text } from "./support/pulling.ts";
import { randomFaults } from "./support/random-faults.ts";

const rounds = Number(process.env["STRATA_PULLS"] ?? 25);
const timeoutMs = Math.max(120_000, rounds * 5000);

const shared = { "etc/os-release": "base of all" };
const files = [shared, { "usr/a": text(300_000) }, { "usr/b": text(120_000) }, { "etc/c": "top" }];

describeWith("pulls over a bad line", ["docker-registry"], () => {
  describe.each(drivers)("with %s", (driver) => {
    const seed = Number(process.env["STRATA_SEED"] ?? randomInt(1e9));
    let room: Pulling;
    let hasty: Registries;
    let remote: Remote;

    beforeAll(async () => {
      room = await Pulling.start(driver);
      hasty = await room.user.open(hastily);
      remote = new Remote(await imageOf(files));
      const kept = new Remote(await imageOf([shared, { own: "x" }]));
      await room.push(kept, "kept:1");
      await room.pull("kept:1");
      await room.push(remote);
    });
    afterAll(async () => {
      await hasty?.close();
      await room?.[Symbol.asyncDispose]();
    });

    it(
      `end right or with a clear error, ${rounds} times from seed ${seed}`,
      async () => {
        const tally: Record<string, number> = {};
        for (let round = 0; round < rounds; round++) {
          const outcome = await pullBadly(room, hasty, remote, seed + round).catch((error: unknown) => {
            throw new Error(`STRATA_SEED=${seed + round} STRATA_PULLS=1, with ${driver}`, { cause: error });
          });
          tally[outcome] = (tally[outcome] ?? 0) + 1;
        }
        console.info(`${driver}: ${rounds} pulls over a bad line, seed ${seed}: ${JSON.stringify(tally)}`);
        // A single round says nothing of all of them.
        if (rounds >= 25) expect(Object.keys(tally).length).toBeGreaterThan(2);
      },
      timeoutMs,
    );
  });
});

/** @returns "right", or the code of the error */
async function pullBadly(room: Pulling, hasty: Registries, remote: Remote, seed: number): Promise<string> {
  const { opened } = room;
  const random = randomNumbers(seed);
  const before = await contentOf(opened);
  room.calm();
  room.proxy.fault = randomFaults(seed, {
    of: 0.15 + random() * 0.5,
    sizeOf: (url) => remote.blobs.get(url.slice(url.lastIndexOf("/") + 1))?.length ?? remote.manifest.length,
  });
  const error = await pull(opened.store, hasty, room.reference()).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const reference = room.reference().toString();
  if (error === undefined) {
    const { id, digest } = await opened.store.resolve(reference);
    expect({ id, digest }).toEqual({ id: remote.image.id, digest: sha256(remote.manifest) });
    expect(await treeOf(opened, reference)).toEqual(Object.assign({}, ...files));
    expect(room.partials).toEqual([]);
  } else {
    expectClear(error, room.server.host);
    expect(await contentOf(opened)).toEqual(before);
    expect(remote.layers.map(hex)).toEqual(expect.arrayContaining(room.partials));
    for (const digest of remote.layers)
      expect(room.arrived(digest)).toBeLessThanOrEqual(remote.blobs.get(digest)?.length ?? 0);
  }
  expect(readdirSync(join(opened.root, "ingest"))).toEqual([]);
  await room.expectSound();

  // What one round leaves must not harm the next: a third begin where it ended, a third after a good pull, a third anew.
  const next = random();
  if (error !== undefined && next > 0.33) {
    room.calm();
    await room.pull();
    await room.expectWhole(remote, Object.assign({}, ...files));
  }
  if (error === undefined || next > 0.33) await room.remove();
  if (next > 0.66) rmSync(join(opened.root, "downloads"), { recursive: true, force: true });
  return isStrataError(error) ? error.code : "right";
}
