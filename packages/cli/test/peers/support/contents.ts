import { cpSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dataDirectory, run, unpackPackages } from "@strata/benchmarks";
import { Scratch } from "@strata/conformance/suite";

/** Where the scripts are that fill layers. */
export const layerScripts = fileURLToPath(new URL("../layers/", import.meta.url));

/** The scripts' names, in the order of the layers they make. */
export const layers = ["1-everything.sh", "2-changes.sh", "3-nothing.sh", "4-return.sh"] as const;

/** Fill `root`, a directory on the host, as the layer of that script. */
export async function fillLayer(script: (typeof layers)[number], root: string): Promise<void> {
  await run("sh", [`${layerScripts}${script}`, root]);
}

/**
 * A tar of a root file system that can run {@link layerScripts}. Made once, and kept beside the benchmarks' data.
 */
export async function toolsArchive(): Promise<string> {
  const path = `${dataDirectory}tools.tar`;
  if (existsSync(path)) return path;
  mkdirSync(dataDirectory, { recursive: true });
  await using scratch = new Scratch();
  const root = scratch.join("root");
  await unpackPackages(root, ["dash", "coreutils", "acl", "attr", "libcap2-bin"]);
  const partial = `${path}.${process.pid}`;
  await run("tar", ["--xattrs", "--xattrs-include=*", "--numeric-owner", "-C", root, "-cf", partial, "."]);
  renameSync(partial, path);
  return path;
}

/**
 * Make a build context whose Dockerfile runs the scripts one after the other, each making a layer, on top of `base`,
 * which is {@link toolsArchive}.
 * @returns `path`
 */
export function buildContext(path: string, base: string): string {
  cpSync(layerScripts, path, { recursive: true });
  const runs = layers.map((script) => `RUN sh /scripts/${script} /srv/image`);
  const lines = [`FROM ${base}`, "COPY *.sh /scripts/", "WORKDIR /srv/image", ...runs, 'CMD ["/bin/sh"]'];
  writeFileSync(`${path}/Dockerfile`, `${lines.join("\n")}\n`);
  return path;
}
