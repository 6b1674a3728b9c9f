import { mkdirSync, writeFileSync } from "node:fs";
import type { Field, PulledImage } from "./field.ts";

/**
 * How each tool changes an image of a registry and pushes the new one.
 * @returns the new image as the tool has it
 */
export type Pusher = (field: Field, base: string, target: string) => Promise<PulledImage>;

/** Copies it, as another kind of manifest. */
const skopeo: Pusher = async (field, base, target) => {
  await field.skopeo("copy", "--format=v2s2", `docker://${base}`, `docker://${target}`);
  return await field.pull("podman", base);
};

/** Adds a layer, written to the container's file system. */
const buildah: Pusher = async (field, base, target) => {
  const container = await field.buildah("from", base);
  const root = await field.storage.buildah("mount", container);
  mkdirSync(`${root}/changes/added`);
  writeFileSync(`${root}/changes/added/file`, "added\n");
  const id = await field.storage.buildah("commit", "--quiet", container);
  await field.buildah("push", id, `docker://${target}`);
  return { id: `sha256:${id}`, tree: await field.treeInStorage(id) };
};

/** Builds on it. */
const podman: Pusher = async (field, base, target) => {
  const context = buildContext(field, base, target);
  const id = await field.podman("build", "--quiet", `--tag=${target}`, context);
  await field.podman("push", "--quiet", target);
  return { id: `sha256:${id}`, tree: await field.treeInStorage(id) };
};

/** Builds on it. */
const docker: Pusher = async (field, base, target) => {
  const daemon = await field.docker();
  await daemon.run("build", "--quiet", "--tag", target, buildContext(field, base, target));
  await daemon.run("push", "--quiet", target);
  return { id: await daemon.imageId(target), tree: await daemon.tree(target) };
};

export const pushers = { skopeo, buildah, podman, docker } as const;

function buildContext(field: Field, base: string, target: string): string {
  const path = field.scratch.join(`context-${target.replaceAll(/\W/g, "-")}`);
  mkdirSync(path);
  writeFileSync(`${path}/file`, `pushed to ${target}\n`);
  writeFileSync(`${path}/Dockerfile`, `FROM ${base}\nCOPY file /changes/added/file\nLABEL of=tests\n`);
  return path;
}
