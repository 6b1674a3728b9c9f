import { readFile, rm, writeFile } from "node:fs/promises";
import {
  attempt,
  type CallOptions,
  type Digest,
  digestOf,
  FileLock,
  isDigest,
  makeDirectories,
} from "@strata/core";
import { z } from "zod";
import { uploadPath, uploadsDir } from "../content/paths.ts";

/** A blob on its way to a repository of a registry. */
export interface UploadTarget {
  /** Host, with its port if it has one in references: `localhost:5000`. */
  readonly registry: string;
  readonly repository: string;
  readonly digest: Digest;
}

const noteSchema = z.object({
  registry: z.string(),
  repository: z.string(),
  digest: z.custom<Digest>(isDigest),
  location: z.url(),
});

/** An upload that was begun, and where it goes on. */
export type NotedUpload = z.infer<typeof noteSchema>;

/**
 * What the store notes of an upload, so that another process can go on with it; held by one process at a time.
 *
 *     uploads/<hex>   by what goes where; flocked while somebody sends it; empty as long as nothing is begun
 *
 * 1. Only who holds the lock writes, or removes the file.
 * 2. It is written in place, as one line: a process that is killed has written it or not. What a power cut tears cannot
 *    be read and counts for none, which costs no more than sending again.
 * 3. It is a hint. Whether a registry still knows the upload, and how much of it has arrived, only the registry can say.
 */
export class UploadNote implements AsyncDisposable {
  readonly #target: UploadTarget;
  readonly #path: string;
  readonly #lock: FileLock;
  #location: string | undefined;
  #isClosed = false;

  private constructor(target: UploadTarget, path: string, lock: FileLock) {
    this.#target = target;
    this.#path = path;
    this.#lock = lock;
  }

  /** Wait until nobody else sends this blob there, and hold it. */
  static async hold(root: string, target: UploadTarget, options: CallOptions = {}): Promise<UploadNote> {
    const { registry, repository, digest } = target;
    const path = uploadPath(root, digestOf(`${registry}/${repository}@${digest}`));
    makeDirectories(uploadsDir(root));
    const lock = await FileLock.take(path, "exclusive", options);
    const note = new UploadNote(target, path, lock);
    try {
      note.#location = (await readNote(path))?.location;
      return note;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Where the registry goes on with it; undefined, if nothing was begun that anybody knows of. */
  get location(): string | undefined {
    return this.#location;
  }

  /** Note where it goes on. */
  async save(location: string): Promise<void> {
    const { registry, repository, digest } = this.#target;
    const note: NotedUpload = { registry, repository, digest, location };
    await attempt(`note the upload of ${digest}`, () =>
      writeFile(this.#path, `${JSON.stringify(note)}\n`, { flag: "r+" }),
    );
    this.#location = location;
  }

  /** What was begun is over, or of no use any more. */
  forget(): void {
    this.#location = undefined;
  }

  /** Let others have it. If nothing is begun, nothing stays. Twice is fine. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      if (this.#location === undefined) await rm(this.#path, { force: true });
    } finally {
      this.#lock.release();
    }
  }
}

/** A note as it is now; undefined, if there is none that can be read. @throws the system error */
export async function readNote(path: string): Promise<NotedUpload | undefined> {
  // Behind the first line there can be the end of an older, longer one.
  const [line = ""] = (await readFile(path, "utf8")).split("\n", 1);
  try {
    return noteSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
