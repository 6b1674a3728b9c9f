import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A layer by its files: a path and its content; a path that ends with `/` is an empty directory. */
export type Files = Readonly<Record<string, string>>;

export interface ArchiveOptions {
  /** `name:tag`s; none makes an image without a name. */
  readonly tags?: readonly string[];
  /** Bottom first. */
  readonly layers: readonly Files[];
  /** What made each layer, for its history. @defaultValue `layer 0`, `layer 1`, ... */
  readonly steps?: readonly string[];
  /** The container's config: `Cmd`, `Env`, `Labels`. */
  readonly config?: object;
  /** RFC 3339. */
  readonly created?: string;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
}

/** Write an archive of one image as `docker save` of 20.10 does, with GNU tar. */
export function writeArchive(path: string, options: ArchiveOptions): { id: string; diffIds: string[] } {
  const { tags = [], layers, config = {}, created = "2024-02-03T04:05:06Z" } = options;
  const work = `${path}.d`;
  mkdirSync(work, { recursive: true });
  const diffIds = layers.map((files, index) => {
    const tar = layerTar(join(work, `files-${index}`), files);
    mkdirSync(join(work, String(index)));
    writeFileSync(join(work, String(index), "layer.tar"), tar);
    return sha256(tar);
  });
  const document = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    ...options.platform,
    created,
    config,
    rootfs: { type: "layers", diff_ids: diffIds },
    history: layers.map((_, index) => ({ created, created_by: options.steps?.[index] ?? `layer ${index}` })),
  });
  const id = sha256(document);
  const configName = `${id.slice("sha256:".length)}.json`;
  writeFileSync(join(work, configName), document);
  const names = layers.map((_, index) => `${index}/layer.tar`);
  writeFileSync(
    join(work, "manifest.json"),
    JSON.stringify([{ Config: configName, RepoTags: tags.length > 0 ? tags : null, Layers: names }]),
  );
  execFileSync("tar", ["-C", work, "-cf", path, "manifest.json", configName, ...names]);
  rmSync(work, { recursive: true });
  return { id, diffIds };
}

/** The tar of some files, the same for the same files. */
export function layerTar(dir: string, files: Files): Buffer {
  writeFiles(dir, files);
  const sameEachTime = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@1600000000"];
  return execFileSync("tar", ["-C", dir, ...sameEachTime, "-cf", "-", "."], { maxBuffer: 2 ** 28 });
}

export function writeFiles(dir: string, files: Files): void {
  mkdirSync(dir, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(name.endsWith("/") ? join(dir, name) : dirname(join(dir, name)), { recursive: true });
    if (!name.endsWith("/")) writeFileSync(join(dir, name), content);
  }
}

function sha256(data: string | Buffer): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}
