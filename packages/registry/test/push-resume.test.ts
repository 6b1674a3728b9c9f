import { describeWith } from "@strata/conformance";
import { randomNumbers } from "@strata/conformance/suite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { imageOf } from "../../store/test/support/image.ts";
import { random } from "./support/pulling.ts";
import { Pushing } from "./support/pushing.ts";
import { TransferProcess } from "./support/transfer-process.ts";
import type { RecordedRequest } from "./support/web-server.ts";

const partBytes = 100_000;
const seed = Number(process.env["STRATA_SEED"] ?? Date.now() % 1e9);

let room: Pushing;
let sizes: number[];

beforeEach(async () => {
  room = await Pushing.start();
  await room.load(await imageOf([{ a: random(500_000) }]));
  const { manifest } = await room.room.opened.store.resolve(room.room.reference().toString());
  sizes = [...manifest.layers, manifest.config].map(({ size }) => size);
});
afterEach(() => room[Symbol.asyncDispose]());

/** Begin a push in a process of its own. */
function start(): Promise<TransferProcess> {
  return TransferProcess.start(room.room, room.room.reference().toString(), "push");
}

/** Let a request go no further. @returns when it has come */
function hold(isIt: (request: RecordedRequest) => boolean): Promise<void> {
  return new Promise((resolve) => {
    room.proxy.fault = (request) => {
      if (!isIt(request)) return undefined;
      resolve();
      return { kind: "silence" };
    };
  });
}

async function killAt(isIt: (request: RecordedRequest) => boolean): Promise<void> {
  const come = hold(isIt);
  const child = await start();
  await come;
  await child.kill();
  room.room.calm();
}

function isPatchFrom(from: number) {
  return ({ method, headers }: RecordedRequest): boolean =>
    method === "PATCH" && headers["content-range"]?.startsWith(`${from}-`) === true;
}

const sentBytes = (): number => room.sent.reduce((sum, { bytes }) => sum + bytes, 0);
const imageBytes = (): number => sizes.reduce((sum, size) => sum + size, 0);

describeWith("a push whose process was killed", ["docker-registry"], () => {
  it("goes on behind the parts that were complete", async () => {
    await killAt(isPatchFrom(3 * partBytes));
    expect(room.notes).toHaveLength(1);
    await room.push("app:1", { partBytes, uploads: 1 });
    expect(room.sent[0]).toEqual({ method: "PATCH", from: 3 * partBytes, bytes: partBytes });
    expect(sentBytes()).toBe(imageBytes() - 3 * partBytes);
    expect(room.proxy.log.filter((line) => line.startsWith("POST"))).toHaveLength(1);
    await room.expectPushed();
  });

  it("has nothing more to send where all parts were complete", async () => {
    await killAt(({ method, url }) => method === "PUT" && url.includes("/uploads/"));
    await room.push("app:1", { partBytes, uploads: 1 });
    expect(room.sent[0]).toMatchObject({ method: "PUT", bytes: 0 });
    await room.expectPushed();
  });

  it("sends no blob where the manifest alone was missing", async () => {
    await killAt(({ url }) => url.includes("/manifests/"));
    await room.push("app:1", { partBytes });
    expect(room.sent).toEqual([]);
    await room.expectPushed();
  });

  it("is right wherever it was killed, also where the registry lost the upload", async () => {
    const numbers = randomNumbers(seed);
    for (let round = 0; round < 5; round++) {
      let left = Math.floor(numbers() * 1.5 * imageBytes());
      // Killed in the middle of a part, some of which the registry has by then.
      const come = new Promise<void>((resolve) => {
        room.proxy.fault = ({ method, headers }) => {
          const bytes = Number(headers["content-length"] ?? 0);
          if (method === "HEAD" || bytes === 0) return undefined;
          left -= bytes;
          if (left >= 0) return undefined;
          resolve();
          return { kind: "stall-request", afterBytes: Math.floor(bytes / 2) };
        };
      });
      const child = await start();
      await Promise.race([come, child.end()]);
      await child.kill();
    }
    room.room.calm();
    await room.push("app:1", { partBytes });
    await room.expectPushed().catch((error: unknown) => {
      throw new Error(`STRATA_SEED=${seed}`, { cause: error });
    });
  });
});

describeWith("pushes of one image by two processes", ["docker-registry"], () => {
  it("send each blob once", async () => {
    const children = await Promise.all([start(), start()]);
    expect(await Promise.all(children.map((child) => child.end()))).toEqual([0, 0]);
    expect(sentBytes()).toBe(imageBytes());
    await room.expectPushed();
  });

  it("go on for each other: who waits continues what the other one was killed in", async () => {
    const come = hold(isPatchFrom(2 * partBytes));
    const first = await start();
    await come;
    const second = await start();
    room.room.calm();
    await first.kill();
    expect(await second.end()).toBe(0);
    expect(room.sent[0]).toMatchObject({ method: "PATCH", from: 2 * partBytes });
    expect(sentBytes()).toBe(imageBytes() - 2 * partBytes);
    await room.expectPushed();
  });
});
