import { type Digest, isDigest, StrataError } from "@strata/core";
import { z } from "zod";

/**
 * The JSON documents that describe images, as others write them: read leniently where writers differ (Go writes
 * `null` for an empty list), strictly where a mistake would make wrong bytes look right. Unknown fields are kept.
 * @see OCI image-spec, manifest.md, image-index.md, config.md; moby image/spec/spec.md
 */

/** The largest document that is read, in bytes; registries cap a manifest at 4 MiB too. */
export const maxDocumentBytes = 4 * 1024 * 1024;

const digest = z.custom<Digest>(isDigest, "expected a sha256 digest");
const text = z.string("expected a text");
const texts = z.array(text, "expected a list of texts");
const annotations = z.record(z.string(), text, "expected a table of texts");
const size = z.int("expected a size in bytes").nonnegative("expected a size in bytes, not below 0");

const platform = z.looseObject(
  { architecture: text, os: text, variant: text.nullish(), "os.version": text.nullish() },
  "expected a platform",
);

const descriptor = z.looseObject(
  {
    mediaType: text,
    digest,
    size,
    annotations: annotations.nullish(),
    platform: platform.nullish(),
    urls: texts.nullish(),
  },
  "expected a descriptor",
);

/** Points at a blob: its type, digest and size. */
export type Descriptor = z.infer<typeof descriptor>;

function listOf<T extends z.ZodType>(item: T, message: string) {
  return z
    .array(item, message)
    .nullable()
    .transform((list) => list ?? []);
}

export const manifestSchema = z.looseObject(
  {
    schemaVersion: z.literal(2, "expected 2"),
    mediaType: text.nullish(),
    config: descriptor,
    layers: listOf(descriptor, "expected a list of layers"),
    annotations: annotations.nullish(),
    // One blob is read as one type only (CVE-2021-41190).
    manifests: z.undefined("a manifest cannot be an index too").optional(),
  },
  "expected an image manifest",
);

/** An image manifest: the config and the layers, bottom first. */
export type Manifest = z.infer<typeof manifestSchema>;

export const indexSchema = z.looseObject(
  {
    schemaVersion: z.literal(2, "expected 2"),
    mediaType: text.nullish(),
    manifests: listOf(descriptor, "expected a list of manifests"),
    config: z.undefined("an index cannot be a manifest too").optional(),
    layers: z.undefined("an index cannot be a manifest too").optional(),
  },
  "expected an image index",
);

/** An index: manifests, or further indexes, to choose from. */
export type ImageIndex = z.infer<typeof indexSchema>;

/** Old dockers wrote a command of one word as a text. */
const command = z.union([text.transform((word) => [word]), texts], "expected a list of texts").nullish();
const set = z.record(z.string(), z.unknown(), "expected a table").nullish();

const containerConfig = z.looseObject(
  {
    User: text.nullish(),
    Env: texts.nullish(),
    Entrypoint: command,
    Cmd: command,
    ExposedPorts: set,
    Volumes: set,
    WorkingDir: text.nullish(),
    Labels: annotations.nullish(),
    StopSignal: text.nullish(),
    OnBuild: texts.nullish(),
  },
  "expected the default settings of a container",
);

/** What a container of the image runs by default. */
export type ContainerConfig = z.infer<typeof containerConfig>;

const historyItem = z.looseObject(
  {
    created: text.nullish(),
    created_by: text.nullish(),
    author: text.nullish(),
    comment: text.nullish(),
    empty_layer: z.boolean("expected true or false").nullish(),
  },
  "expected a step of the history",
);

/** One step that made an image; without `empty_layer` it stands for one layer. */
export type HistoryItem = z.infer<typeof historyItem>;

export const configSchema = z.looseObject(
  {
    created: text.nullish(),
    author: text.nullish(),
    architecture: text,
    os: text,
    variant: text.nullish(),
    config: containerConfig.nullish(),
    rootfs: z.looseObject(
      {
        type: z.literal("layers", 'expected "layers"'),
        diff_ids: z.array(digest, "expected a list").nullish(),
      },
      "expected the list of layers",
    ),
    history: z.array(historyItem, "expected a list of steps").nullish(),
  },
  "expected an image config",
);

/** An image config. The image ID is the digest of its bytes. */
export type ImageConfig = z.infer<typeof configSchema>;

export const dockerManifestSchema = z.array(
  z.looseObject(
    { Config: text, RepoTags: texts.nullish(), Layers: texts.nullish() },
    "expected an image: Config, RepoTags, Layers",
  ),
  "expected a list of images",
);

/** `manifest.json` of a docker archive: members of the archive, by name. */
export type DockerManifest = z.infer<typeof dockerManifestSchema>;

/**
 * Read a JSON document that comes from outside.
 * @param what - names the document in errors, e.g. `manifest.json`
 * @throws StrataError `InvalidArgument`, in words: `manifest.json: expected a list of images`
 */
export function parseDocument<T>(schema: z.ZodType<T>, bytes: Buffer, what: string): T {
  const result = schema.safeParse(parseJson(bytes, what));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue?.path.length ? `${what}: ${issue.path.join(".")}` : what;
  throw new StrataError("InvalidArgument", `${where}: ${issue?.message ?? "not valid"}`);
}

function parseJson(bytes: Buffer, what: string): unknown {
  if (bytes.length > maxDocumentBytes) {
    throw new StrataError(
      "InvalidArgument",
      `${what}: ${bytes.length} bytes is more than such a document may have (${maxDocumentBytes})`,
    );
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new StrataError("InvalidArgument", `${what}: not valid JSON`, { cause });
  }
}
