import { fileURLToPath } from "node:url";
import { Scratch } from "@strata/conformance/suite";
import { dataset } from "../dataset/paths.ts";
import { type CommandResult, run } from "../peers/command.ts";
import { ContainersStorage, skopeoCopy } from "../peers/containers-storage.ts";

/** A way to get the data set's image into a store that is new and empty. */
export interface Contender {
  readonly name: string;
  /** @param parent - decides the file system that the store is on */
  load(parent: string): Promise<CommandResult>;
}

export const strataCommand = fileURLToPath(new URL("../../../packages/cli/bin/strata.js", import.meta.url));

function strata(name: string, source: string, durability: "none" | "commit"): Contender {
  return {
    name,
    load: async (parent) => {
      await using scratch = new Scratch(parent);
      const options = ["--root", scratch.join("root"), "--driver", "overlay2", "--durability", durability];
      return await run(process.execPath, [strataCommand, ...options, "load", "--quiet", "--input", source]);
    },
  };
}

export const strataRaw = strata("strata load, raw", dataset.archive, "none");
export const strataRawDurable = strata("strata load, raw, durable", dataset.archive, "commit");
export const strataGzip = strata("strata load, gzip", dataset.layout, "none");
export const strataGzipDurable = strata("strata load, gzip, durable", dataset.layout, "commit");

export const podmanRaw: Contender = {
  name: "podman load, raw",
  load: async (parent) => {
    await using storage = new ContainersStorage(parent);
    return await storage.podman("load", "--quiet", "--input", dataset.archive);
  },
};

export const skopeoGzip: Contender = {
  name: "skopeo copy, gzip",
  load: async (parent) => {
    await using storage = new ContainersStorage(parent);
    const source = `oci:${dataset.layout}:${dataset.reference}`;
    return await skopeoCopy(source, storage.skopeoName(dataset.reference));
  },
};

/** What is compared with what, and the most that ours may cost of theirs. */
export const comparisons = [
  { ours: strataRaw, theirs: podmanRaw, target: 0.4 },
  { ours: strataRawDurable, theirs: podmanRaw, target: 0.6 },
  { ours: strataGzip, theirs: skopeoGzip, target: 0.35 },
  { ours: strataGzipDurable, theirs: skopeoGzip, target: undefined },
] as const;

export const contenders: readonly Contender[] = [
  strataRaw,
  podmanRaw,
  strataGzip,
  skopeoGzip,
  strataRawDurable,
  strataGzipDurable,
];
