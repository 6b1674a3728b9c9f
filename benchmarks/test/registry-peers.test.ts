import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { blobPushingPeers, compressingPeers, pullingPeers } from "../src/peers/registry-peers.ts";
import { TrialRegistry } from "../src/workloads/registry/trial-registry.ts";
import { storedImage } from "../src/workloads/store/inputs.ts";
import { contentBelow } from "./support/content-below.ts";
import { leavesNothing, programsOf } from "./support/peers.ts";

const layer = { shape: "mixed", files: 20, bytes: 40_000, compressible: true } as const;

let scratch: Scratch;
let archive: string;
let registry: TrialRegistry;

beforeAll(async () => {
  scratch = new Scratch();
  const context = { datasets: scratch.join("datasets"), seed: 1 };
  const image = await storedImage(context, { layers: [layer, layer], compression: "none" });
  archive = image.archive;
});

afterAll(async () => {
  await scratch[Symbol.asyncDispose]();
});

for (const id of ["podman", "skopeo", "docker", "containerd"]) {
  describeWith(`${id} with a registry`, ["root", "docker-registry", ...programsOf(id)], () => {
    beforeEach(async () => {
      registry = await TrialRegistry.start({
        datasets: scratch.join("datasets"),
        scale: "quick",
        seed: 1,
        archive,
        signal: new AbortController().signal,
      });
    });

    afterEach(async () => {
      await registry[Symbol.asyncDispose]();
    });

    it("pulls and unpacks, and leaves nothing behind", async () => {
      await leavesNothing(scratch.path, async (directory) => {
        await using peer = await pullingPeers.get(id)?.(directory);
        await peer?.pull(registry.reference);
        expect(contentBelow(directory)).toBeGreaterThan(2 * layer.bytes);
      });
    });

    const pushing = [blobPushingPeers, compressingPeers].filter((peers) => peers.has(id));
    it.each(pushing.map((peers) => [peers === blobPushingPeers ? "as it was" : "compressed anew", peers]))(
      "pushes to an empty registry what it pulled, %s",
      async (_, peers) => {
        await leavesNothing(scratch.path, async (directory) => {
          await using peer = await peers.get(id)?.(directory);
          await peer?.pull(registry.reference);
          const pulled = await registry.digest();
          await registry.clear();
          expect(await registry.digest()).toBeUndefined();
          await peer?.push(registry.reference);
          const pushed = await registry.digest();
          expect(pushed).toMatch(/^sha256:/);
          expect(pushed === pulled).toBe(peers === blobPushingPeers);
        });
      },
    );
  });
}
