import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomNumbers } from "@strata/conformance/suite";
import { push, type Registries } from "@strata/registry";
import { parseReference, type Reference } from "@strata/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FaultyProxy } from "../../registry/test/support/faulty-proxy.ts";
import { random } from "../../registry/test/support/pulling.ts";
import { plainLayers, sentBy } from "../../registry/test/support/pushing.ts";
import { TransferProcess } from "../../registry/test/support/transfer-process.ts";
import { User } from "../../registry/test/support/user.ts";
import type { RecordedRequest } from "../../registry/test/support/web-server.ts";
import { imageOf } from "../../store/test/support/image.ts";
import { oci } from "../../store/test/support/layouts.ts";
import { type OpenedStore, openStore } from "../../store/test/support/store.ts";
import { tarOf } from "../../store/test/support/tar.ts";
import { expectSound, ServedStore } from "./support/served-store.ts";

const partBytes = 100_000;
const seed = Number(process.env["STRATA_SEED"] ?? Date.now() % 1e9);

let served: ServedStore;
let proxy: FaultyProxy;
let user: User;
let registries: Registries;
/** What is pushed from. */
let opened: OpenedStore;
let reference: Reference;
/** Of the layer, and of the config. */
let sizes: number[];

beforeEach(async () => {
  served = await ServedStore.start();
  proxy = await FaultyProxy.start(served.server.url);
  user = new User(served.scratch);
  registries = await user.open();
  opened = await openStore(served.scratch.join("own"));
  reference = parseReference(`${proxy.host}/app:1`);
  const image = await imageOf([{ a: random(500_000) }]);
  const archive = served.scratch.join("image.tar");
  writeFileSync(archive, await tarOf(oci([{ image, tags: [reference.toString()] }], plainLayers)));
  await opened.store.load(archive);
  const { manifest } = await opened.store.resolve(reference.toString());
  sizes = [...manifest.layers, manifest.config].map(({ size }) => size);
});
afterEach(async () => {
  await opened[Symbol.asyncDispose]();
  await registries.close();
  await proxy[Symbol.asyncDispose]();
  await served[Symbol.asyncDispose]();
});

async function pushIt(options: Parameters<typeof push>[3] = {}): Promise<void> {
  await push(opened.store, registries, reference, { partBytes, uploads: 1, ...options });
}

function calm(): void {
  proxy.fault = () => undefined;
  proxy.requests.length = 0;
}

/** That the other store has the image, and neither has anything left of its way. */
async function expectPushed(): Promise<void> {
  const own = await opened.store.resolve(reference.toString());
  // There, it is called as the repository is.
  const there = await served.store.resolve("app:1");
  expect({ id: there.id, digest: there.digest }).toEqual({ id: own.id, digest: own.digest });
  const notes = join(opened.root, "uploads");
  expect(existsSync(notes) ? readdirSync(notes) : []).toEqual([]);
  await expectSound(served);
}

/** How much was sent in all, and how often an upload was begun. */
function totals(): { readonly bytes: number; readonly begun: number } {
  return {
    bytes: sentBy(proxy.requests).reduce((sum, { bytes }) => sum + bytes, 0),
    begun: proxy.requests.filter(({ method }) => method === "POST").length,
  };
}

describe("an image that is pushed to a served store", () => {
  it("is in that store, byte for byte, and is not sent twice", async () => {
    await pushIt();
    await expectPushed();
    calm();
    await pushIt();
    expect(proxy.requests.map(({ method }) => method)).toEqual(["HEAD", "HEAD", "PUT"]);
    await expectPushed();
  });

  it.each([
    ["a part", partBytes],
    ["a whole blob", 1_000_000],
  ])("arrives without a byte being sent twice, wherever %s is cut", async (_, partBytes) => {
    const numbers = randomNumbers(seed);
    let arrived = 0;
    let cuts = 0;
    proxy.fault = ({ headers, url }) => {
      const bytes = Number(headers["content-length"] ?? 0);
      if (!url.includes("/uploads/") || bytes === 0 || ++cuts > 8) return undefined;
      // Never so much that nothing would be left for the next.
      const afterBytes = 1 + Math.floor((numbers() * bytes) / 4);
      arrived += afterBytes;
      return { kind: "cut-request", afterBytes };
    };
    await pushIt({ partBytes });
    await expectPushed();
    const [layer = 0] = sizes;
    expect(cuts).toBeGreaterThan(7);
    // What came after the last cut begins where the cuts, together, had got.
    const starts = sentBy(proxy.requests).map(({ from }) => from);
    expect(starts, `STRATA_SEED=${seed}`).toContain(arrived);
    expect(arrived).toBeLessThan(layer);
    expect(totals().begun).toBe(2);
  });

  it("goes on in another process from the byte in the middle of a part", async () => {
    const come = new Promise<void>((resolve) => {
      let isCut = false;
      proxy.fault = ({ method, headers }: RecordedRequest) => {
        if (isCut) {
          // It asks how much has arrived.
          resolve();
          return { kind: "silence" };
        }
        if (method !== "PATCH" || !headers["content-range"]?.startsWith("200000-")) return undefined;
        isCut = true;
        return { kind: "cut-request", afterBytes: 12_345 };
      };
    });
    const child = await TransferProcess.start({ opened, user }, reference.toString(), "push");
    await come;
    await child.kill();
    calm();
    await pushIt();
    expect(sentBy(proxy.requests)[0]).toMatchObject({ method: "PATCH", from: 212_345 });
    expect(totals()).toEqual({ bytes: sizes.reduce((a, b) => a + b) - 212_345, begun: 1 });
    await expectPushed();
  });

  it("is there as soon as an end whose answer was lost", async () => {
    let times = 1;
    proxy.fault = ({ method }) => (method === "PUT" && times-- > 0 ? { kind: "lose-answer" } : undefined);
    await pushIt();
    expect(totals().bytes).toBe(sizes.reduce((a, b) => a + b));
    await expectPushed();
  });
});
