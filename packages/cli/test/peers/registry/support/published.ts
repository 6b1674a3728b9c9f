import { writeFileSync } from "node:fs";
import { ImageBuilder, run } from "@strata/benchmarks";
import { fillLayer, layerScripts, layers } from "../../support/contents.ts";
import { umociTree } from "../../support/umoci.ts";
import type { Field } from "./field.ts";

const oci = "application/vnd.oci.image.layer.v1.tar";
const docker = "application/vnd.docker.image.rootfs.diff.tar";

/**
 * Images of the tools of the field: where they are in the registry, what their layers are, the driver to unpack them with,
 * and who can pull them.
 */
export const published = [
  {
    name: "by-skopeo/oci",
    layerType: `${oci}+gzip`,
    driver: "overlay2",
    peers: ["umoci", "podman", "docker"],
  },
  { name: "by-skopeo/schema2", layerType: `${docker}.gzip`, driver: "vfs", peers: ["podman", "docker"] },
  { name: "by-podman/zstd", layerType: `${oci}+zstd`, driver: "overlay2", peers: ["podman"] },
  { name: "by-skopeo/raw", layerType: oci, driver: "vfs", peers: ["podman", "docker", "umoci"] },
  // Podman and Docker take no hardlink to a file of a lower layer.
  { name: "by-umoci/oci", layerType: `${oci}+gzip`, driver: "overlay2", peers: ["umoci"] },
  {
    name: "by-docker/schema2",
    layerType: `${docker}.gzip`,
    driver: "overlay2",
    peers: ["docker", "podman"],
  },
] as const;

/**
 * Push {@link published} to a registry. Each holds one of everything, and is built anew for each compression: where the
 * tools know that a registry has a layer, they take it as it is.
 */
export async function publish(field: Field, host: string): Promise<void> {
  const scratch = field.scratch;
  await build(async (builder) => {
    await builder.copyTo(`oci:${scratch.join("built")}:image`);
    await builder.copyTo(`docker-archive:${scratch.join("archive")}:${host}/by-docker/schema2`);
  });
  const built = `oci:${scratch.join("built")}:image`;
  await field.skopeo("copy", built, `docker://${host}/by-skopeo/oci`);
  await field.skopeo("copy", "--format=v2s2", built, `docker://${host}/by-skopeo/schema2`);
  const docker = await field.docker();
  await docker.load(scratch.join("archive"));
  await docker.run("push", "--quiet", `${host}/by-docker/schema2`);
  await docker.run("rmi", `${host}/by-docker/schema2`);

  await build(async ({ storage }, image) => {
    const options = [...field.access, "--quiet", "--compression-format=zstd"];
    await storage.podman("push", ...options, image, `docker://${host}/by-podman/zstd`);
  });
  await build(async (builder) => await builder.copyTo(`dir:${scratch.join("raw")}`));
  await field.skopeo(
    "copy",
    "--preserve-digests",
    `dir:${scratch.join("raw")}`,
    `docker://${host}/by-skopeo/raw`,
  );

  const layout = scratch.join("umoci");
  await run("umoci", ["init", "--layout", layout]);
  await run("umoci", ["new", "--image", `${layout}:image`]);
  for (const script of layers) {
    const bundle = scratch.join(`bundle-${script}`);
    await fillLayer(script, await umociTree(`${layout}:image`, bundle));
    await run("umoci", ["repack", "--image", `${layout}:image`, bundle]);
  }
  await field.skopeo("copy", "--preserve-digests", `oci:${layout}:image`, `docker://${host}/by-umoci/oci`);
}

/** Push an image of two layers with a small root file system, in which programs run. */
export async function publishSmall(field: Field, reference: string): Promise<void> {
  await using builder = new ImageBuilder();
  const scripts = ["busybox.sh", "commit.sh"] as const;
  let image = "";
  for (const script of scripts)
    image = await builder.layer(script, (root) => run("sh", [`${layerScripts}${script}`, root]));
  await builder.storage.buildah("push", ...field.access, image, `docker://${reference}`);
}

/** Push an index of two images, for amd64 and arm64, which have a file `arch`. */
export async function publishIndex(field: Field, reference: string, format: "oci" | "v2s2"): Promise<void> {
  const list = `localhost/list-${format}`;
  await field.storage.buildah("manifest", "create", list);
  for (const architecture of ["amd64", "arm64"]) {
    const container = await field.storage.buildah("from", "--pull-never", "scratch");
    const root = await field.storage.buildah("mount", container);
    writeFileSync(`${root}/arch`, `${architecture}, ${format}\n`);
    await field.storage.buildah("config", "--arch", architecture, container);
    const image = await field.storage.buildah("commit", "--quiet", "--rm", container);
    await field.storage.buildah("manifest", "add", "--arch", architecture, list, image);
  }
  const options = ["--all", `--format=${format}`, list, `docker://${reference}`];
  await field.storage.buildah("manifest", "push", ...field.access, ...options);
}

async function build(use: (builder: ImageBuilder, image: string) => Promise<void>): Promise<void> {
  await using builder = new ImageBuilder();
  let image = "";
  for (const script of layers) image = await builder.layer(script, (root) => fillLayer(script, root));
  await use(builder, image);
}
