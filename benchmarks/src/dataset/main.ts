import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { missingFacilities } from "@strata/conformance/suite";
import { run } from "../peers/command.ts";
import { bootstrap, installPackages } from "../peers/debian.ts";
import { ImageBuilder } from "../peers/image-builder.ts";
import { changeTree } from "./changes.ts";
import { debianPackages, npmPackages } from "./contents.ts";
import { dataDirectory, dataset } from "./paths.ts";

/**
 * Builds an image of real packages to measure with: four layers, about 1 GB and 80,000 files, as a plain
 * docker-archive and as an OCI layout with gzip layers. Kept in benchmarks/data; delete that to build it anew.
 */
async function main(): Promise<void> {
  if (existsSync(dataset.archive) && existsSync(dataset.layout)) {
    console.log(`already there: ${dataset.archive} and ${dataset.layout}`);
    return;
  }
  const missing = missingFacilities(["root", "mmdebstrap", "apt-get", "npm", "buildah", "skopeo"]);
  if (missing.length > 0)
    throw new Error(`to build the data set, this is missing here: ${missing.join(", ")}`);
  mkdirSync(dataDirectory, { recursive: true });
  await using builder = new ImageBuilder(dataDirectory);

  await step("Debian base", () => builder.layer("base", bootstrap));
  await step("packages", () => builder.layer("packages", (root) => installPackages(root, debianPackages)));
  await step("node_modules", () => builder.layer("node-modules", installNodeModules));
  await step("changes", () => builder.layer("changes", changeTree));

  const partial = { archive: `${dataset.archive}.partial`, layout: `${dataset.layout}.partial` };
  for (const path of Object.values(partial)) rmSync(path, { recursive: true, force: true });
  await step("docker-archive", () =>
    builder.copyTo(`docker-archive:${partial.archive}:${dataset.reference}`),
  );
  await step("OCI layout", () => builder.copyTo(`oci:${partial.layout}:${dataset.reference}`));
  rmSync(dataset.archive, { force: true });
  rmSync(dataset.layout, { recursive: true, force: true });
  renameSync(partial.archive, dataset.archive);
  renameSync(partial.layout, dataset.layout);
  console.log(`${dataset.archive}: ${(statSync(dataset.archive).size / 1e6).toFixed(0)} MB`);
}

async function installNodeModules(root: string): Promise<void> {
  const app = join(root, "srv/app");
  mkdirSync(app, { recursive: true });
  writeFileSync(join(app, "package.json"), JSON.stringify({ private: true, dependencies: npmPackages }));
  await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"], {
    cwd: app,
  });
}

async function step(name: string, work: () => Promise<unknown>): Promise<void> {
  process.stdout.write(`${name.padEnd(16)} `);
  const started = performance.now();
  await work();
  console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s`);
}

await main();
