import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { run } from "@strata/benchmarks";
import type { Scratch } from "@strata/conformance/suite";

/**
 * Put layer tars together to a docker-archive, as `docker save` lays one out.
 * @returns the archive's path
 */
export async function dockerArchive(
  scratch: Scratch,
  reference: string,
  layers: readonly string[],
): Promise<string> {
  const directory = scratch.join(`archive-of-${layers.length}`);
  mkdirSync(directory);
  const diffIds = layers.map((path) => `sha256:${sha256(readFileSync(path))}`);
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: diffIds },
    history: layers.map((path) => ({ created: "2020-01-01T00:00:00Z", created_by: basename(path) })),
  });
  const configName = `${sha256(config)}.json`;
  writeFileSync(`${directory}/${configName}`, config);
  const manifest = [
    { Config: configName, RepoTags: [reference], Layers: layers.map((path) => basename(path)) },
  ];
  writeFileSync(`${directory}/manifest.json`, JSON.stringify(manifest));
  for (const path of layers) writeFileSync(`${directory}/${basename(path)}`, readFileSync(path));
  await run("tar", ["-C", directory, "-cf", `${directory}.tar`, "."]);
  return `${directory}.tar`;
}

function sha256(bytes: Buffer | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
