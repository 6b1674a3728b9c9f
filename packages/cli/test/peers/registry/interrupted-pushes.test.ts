import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { describeWith } from "@strata/conformance";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DockerRegistry } from "../../../../registry/test/support/docker-registry.ts";
import { FaultyProxy } from "../../../../registry/test/support/faulty-proxy.ts";
import type { RecordedRequest } from "../../../../registry/test/support/web-server.ts";
import { Running } from "../support/running.ts";
import type { Strata } from "../support/strata.ts";
import { expectSameTree } from "../support/trees.ts";
import { Field } from "./support/field.ts";
import { Serving } from "./support/serving.ts";

const layerBytes = 24_000_000;
const image = "large:1";

describeWith("a push of a large layer", ["root", "docker-registry", "podman", "skopeo"], () => {
  let field: Field;
  let strata: Strata;

  beforeAll(async () => {
    field = new Field();
    strata = field.strata("overlay2");
    mkdirSync(field.scratch.join("root"));
    writeFileSync(field.scratch.join("root/large"), randomBytes(layerBytes));
    await strata.run("import", field.scratch.join("root"), image);
  });

  afterAll(async () => {
    await field?.[Symbol.asyncDispose]();
  });

  /** Begin a push of which the server gets no more than up to some random byte, and wait until some bytes are there. */
  const pushInPart = async (proxy: FaultyProxy, target: string, received: () => number): Promise<Running> => {
    const [before, afterBytes] = [
      starts(proxy).length,
      200_000 + Math.floor((Math.random() * layerBytes) / 6),
    ];
    proxy.fault = (request) => (isOfLayer(request) ? { kind: "stall-request", afterBytes } : undefined);
    const push = new Running(strata, "push", target);
    await expect.poll(() => starts(proxy), waiting).toHaveLength(before + 1);
    await expect.poll(received, waiting).toBeGreaterThan(starts(proxy).at(-1) ?? 0);
    return push;
  };

  it("that is killed again and again goes on from what strata serve has", async () => {
    const served = field.strata("overlay2", "served");
    await using serving = await Serving.start(served);
    await using proxy = await FaultyProxy.start(serving.url);
    const target = `${proxy.host}/${image}`;
    await strata.run("tag", image, target);
    for (let kill = 0; kill < 4; kill += 1) {
      await using push = await pushInPart(proxy, target, () => bytesBelow(`${served.root}/ingest`));
      expect(await push.end("SIGKILL")).toBe("SIGKILL");
    }
    proxy.fault = () => undefined;
    await strata.run("push", target);
    const [first, ...later] = starts(proxy);
    expect(first).toBe(0);
    expect(later).toHaveLength(4);
    expect(later).toEqual([...new Set(later)].sort((a, b) => a - b));
    expect(later[0]).toBeGreaterThan(0);
    const theirs = await field.pull("podman", `${serving.host}/${image}`);
    expect(theirs.id).toBe(await strata.imageId(image));
    await expectSameTree(await strata.tree(image), theirs.tree);
    expect(await served.run("check")).toBe("No problems found");
  });

  it("that is killed or interrupted is made good by the next one, to docker-registry", async () => {
    await using registry = await DockerRegistry.start();
    const { proxy } = registry;
    const target = `${registry.host}/${image}`;
    await strata.run("tag", image, target);
    for (const [signal, outcome] of [
      ["SIGKILL", "SIGKILL"],
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      await using push = await pushInPart(proxy, target, () => bytesBelow(registry.storage));
      expect(await push.end(signal)).toBe(outcome);
      expect(push.output.stderr).toBe("");
    }
    expect(readdirSync(`${strata.root}/ingest`)).toEqual([]);
    proxy.fault = () => undefined;
    await strata.run("push", target);
    expect(await field.digestOf(target)).toBe(await strata.digest(target));
    expect((await field.pull("podman", target)).id).toBe(await strata.imageId(image));
    expect(await strata.run("gc")).toBe("Removed 0, reclaimed 0B");
  });
});

const waiting = { timeout: 30_000, interval: 1 };

/** Whether a request brings bytes of the layer; the config is small. */
function isOfLayer({ method, headers }: RecordedRequest): boolean {
  return ["PATCH", "PUT"].includes(method) && Number(headers["content-length"]) > 1_000_000;
}

/** The byte that each request with bytes of the layer began at. */
function starts(proxy: FaultyProxy): number[] {
  const ranges = proxy.requests.filter(isOfLayer).map(({ headers }) => headers["content-range"]);
  return ranges.map((range) => Number.parseInt(range ?? "0", 10));
}

function bytesBelow(path: string): number {
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .map((name) => statSync(`${path}/${name}`, { throwIfNoEntry: false }))
    .reduce((sum, file) => sum + (file?.isFile() ? file.size : 0), 0);
}
