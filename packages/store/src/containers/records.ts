import { readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, errnoCode, fsyncPath, StrataError, writeFileAtomic } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { containersDir } from "../content/paths.ts";
import { shortId } from "../short-id.ts";

/** A container: a writable layer over an image. */
export interface ContainerRecord {
  /** 64 hex digits; also the key of its snapshot. */
  readonly id: string;
  readonly name: string;
  readonly imageId: Digest;
  /** What the image was called when the container was made. */
  readonly image: string;
  /** The driver that holds its snapshot. */
  readonly driver: string;
  /** RFC 3339. */
  readonly created: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What it is to run: the one it was created with, else the image's. */
  readonly command: readonly string[];
}

const fileForm = /^[0-9a-f]{64}\.json$/;

/** All containers, the newest first. No lock is needed: a record is written once, as a whole. */
export async function listContainers({ root }: Pick<StoreContext, "root">): Promise<ContainerRecord[]> {
  const files = (await readdir(containersDir(root))).filter((name) => fileForm.test(name));
  const records = await Promise.all(files.map((name) => readRecord(join(containersDir(root), name))));
  return records
    .filter((record) => record !== undefined)
    .sort((a, b) => Date.parse(b.created) - Date.parse(a.created) || (a.id < b.id ? -1 : 1));
}

/**
 * Find a container by ID, name, or an unambiguous prefix of its ID.
 * @throws StrataError `NotFound`, "No such container: x"
 * @throws StrataError `InvalidArgument`, if it is a prefix of several IDs
 */
export function findContainer(records: readonly ContainerRecord[], idOrName: string): ContainerRecord {
  const exact = records.find((record) => record.id === idOrName || record.name === idOrName);
  if (exact !== undefined) return exact;
  const [found, ...more] = idOrName === "" ? [] : records.filter((record) => record.id.startsWith(idOrName));
  if (found === undefined) throw new StrataError("NotFound", `No such container: ${idOrName}`);
  if (more.length === 0) return found;
  const ids = [found, ...more].map((record) => shortId(record.id)).join(", ");
  throw new StrataError(
    "InvalidArgument",
    `"${idOrName}" begins the ID of ${more.length + 1} containers: ${ids}; give more digits`,
  );
}

/** Write a record: the commit point of making a container. Call it with the store's lock held. */
export async function writeContainer(
  { root, durable }: StoreContext,
  record: ContainerRecord,
): Promise<void> {
  await writeFileAtomic(recordPath(root, record.id), JSON.stringify(record), { durable });
}

/** Delete a record: the commit point of removing a container. Call it with the store's lock held. */
export async function deleteContainer({ root, durable }: StoreContext, id: string): Promise<void> {
  await unlink(recordPath(root, id));
  if (durable) await fsyncPath(containersDir(root));
}

const recordPath = (root: string, id: string): string => join(containersDir(root), `${id}.json`);

/** Undefined, if it is removed at this moment. */
async function readRecord(path: string): Promise<ContainerRecord | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return undefined;
    if (!(error instanceof SyntaxError)) throw error;
    throw new StrataError("Corrupt", `${path} is damaged; delete it and run gc`, { cause: error });
  }
}
