import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { ImageBuilder } from "@strata/benchmarks";
import { describeWith } from "@strata/conformance";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DockerRegistry } from "../../../../registry/test/support/docker-registry.ts";
import { Running } from "../support/running.ts";
import type { Strata } from "../support/strata.ts";
import { expectSameTree } from "../support/trees.ts";
import { Field } from "./support/field.ts";

const layerBytes = 24_000_000;

describeWith("a pull of a large layer", ["root", "buildah", "docker-registry", "podman", "skopeo"], () => {
  let field: Field;
  let registry: DockerRegistry;
  let reference: string;
  let layer: { readonly digest: string; readonly size: number };

  beforeAll(async () => {
    field = new Field();
    registry = await DockerRegistry.start();
    reference = `${registry.host}/large:1`;
    await using builder = new ImageBuilder();
    const image = await builder.layer("large", (root) =>
      writeFileSync(`${root}/large`, randomBytes(layerBytes)),
    );
    await builder.storage.buildah("push", ...field.access, image, `docker://${reference}`);
    const { layers } = JSON.parse(await field.skopeo("inspect", "--raw", `docker://${reference}`));
    layer = layers[0];
  });

  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
    await field?.[Symbol.asyncDispose]();
  });

  /** How much of the layer has come. */
  const arrived = (strata: Strata): number => {
    const path = `${strata.root}/downloads/${layer.digest.replace("sha256:", "")}`;
    return existsSync(path) ? statSync(path).size : 0;
  };

  /** Begin a pull that gets no further than some random byte. @returns that, too */
  const beginPull = (strata: Strata): { pull: Running; end: number } => {
    const afterBytes = Math.ceil(200_000 + (Math.random() * layerBytes) / 6);
    registry.proxy.fault = ({ url }) =>
      url.endsWith(layer.digest) ? { kind: "stall", afterBytes } : undefined;
    return { pull: new Running(strata, "pull", reference), end: arrived(strata) + afterBytes };
  };

  /** Wait until some of the layer has come. */
  const moreThan = async (strata: Strata, bytes: number): Promise<void> =>
    await expect.poll(() => arrived(strata), { timeout: 30_000, interval: 1 }).toBeGreaterThan(bytes);

  /** The part of the layer that each request was for. */
  const ranges = (): (string | undefined)[] =>
    registry.proxy.requests
      .filter(({ method, url }) => method === "GET" && url.endsWith(layer.digest))
      .map(({ headers }) => headers.range);

  it("that is killed again and again asks for no byte twice", async () => {
    const strata = field.strata("overlay2", "killed");
    const expected: (string | undefined)[] = [];
    registry.proxy.requests.length = 0;
    for (let kill = 0; kill < 4; kill += 1) {
      const before = arrived(strata);
      expected.push(before === 0 ? undefined : `bytes=${before}-`);
      await using pull = beginPull(strata).pull;
      await moreThan(strata, before);
      expect(await pull.end("SIGKILL")).toBe("SIGKILL");
    }
    expected.push(`bytes=${arrived(strata)}-`);
    registry.proxy.fault = () => undefined;
    await strata.run("pull", reference);
    expect(ranges()).toEqual(expected);
    await expectSameTree(await strata.tree(reference), (await field.pull("podman", reference)).tree);
    expect(await strata.run("check")).toBe("No problems found");
    expect(readdirSync(`${strata.root}/downloads`)).toEqual([]);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "%s ends with %d, and leaves what has come to the next pull, or to gc",
    async (signal, code) => {
      const strata = field.strata("overlay2", signal);
      const { pull, end } = beginPull(strata);
      await using _ended = pull;
      await moreThan(strata, end - 1);
      expect(await pull.end(signal)).toBe(code);
      expect(pull.output.stderr).toBe("");
      expect(readdirSync(`${strata.root}/ingest`)).toEqual([]);
      expect(readdirSync(`${strata.root}/drivers/overlay2/snapshots`)).toEqual([]);
      expect(arrived(strata)).toBe(end);
      await strata.run("gc");
      expect(readdirSync(`${strata.root}/downloads`)).toEqual([]);
    },
  );
});
