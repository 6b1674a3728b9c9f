import type { Readable } from "node:stream";
import { type Digest, isDigest, isStrataError, StrataError } from "@strata/core";
import { repositoryScope } from "../auth/scopes.ts";
import { type HttpAnswer, headerOf } from "../http/message.ts";
import type { RepositoryAt } from "./repository.ts";

const binary = { "content-type": "application/octet-stream" };

/** The content of an upload, or a part of it. */
export interface UploadBody {
  /** Bytes are sent again where that is safe, a stream never is. */
  readonly data: Uint8Array | Readable;
  /** Told to the registry beforehand. Of a stream it may be unknown, which not every registry takes. */
  readonly sizeBytes?: number | undefined;
}

/**
 * A blob on its way to a registry, one part after the other. After an error it is not known how much arrived: ask
 * {@link status}, and go on from there.
 * @see distribution-spec, "Pushing blobs"
 */
export class Upload {
  readonly #repository: RepositoryAt;
  #location: URL;
  #offset = 0;
  #minChunkBytes: number | undefined;

  constructor(repository: RepositoryAt, location: URL, minChunkBytes?: number) {
    this.#repository = repository;
    this.#location = location;
    this.#minChunkBytes = minChunkBytes;
  }

  /** Where it goes on: what another process needs to, later. It changes with each part. */
  get location(): string {
    return this.#location.href;
  }

  /** How many bytes the registry has, as far as it has said. */
  get offset(): number {
    return this.#offset;
  }

  /** The registry wants no smaller parts, but for the last. */
  get minChunkBytes(): number | undefined {
    return this.#minChunkBytes;
  }

  /**
   * Send the next part.
   * @throws StrataError `FailedPrecondition` with the status 416, if the registry has another offset
   */
  async append(body: UploadBody, signal?: AbortSignal): Promise<void> {
    const sizeBytes = sizeOf(body);
    const range = sizeBytes !== undefined && {
      "content-range": `${this.#offset}-${this.#offset + sizeBytes - 1}`,
    };
    if (sizeBytes === 0) return;
    const answer = await this.#send("PATCH", { ...binary, ...range }, body, signal);
    if (answer.status !== 202 && answer.status !== 204 && answer.status !== 201)
      throw await this.#refusal(answer);
    this.#moveOn(answer, sizeBytes);
  }

  /**
   * Ask how much has arrived.
   * @returns undefined if the registry does not know the upload any more
   */
  async status(signal?: AbortSignal): Promise<number | undefined> {
    const answer = await this.#send("GET", {}, undefined, signal);
    if (answer.status === 404) return undefined;
    if (answer.status !== 204 && answer.status !== 202 && answer.status !== 200)
      throw await this.#refusal(answer);
    this.#moveOn(answer, undefined);
    return this.#offset;
  }

  /**
   * Make the blob of what has arrived and, if given, a last part; all of it, if nothing has arrived before.
   * @throws StrataError `InvalidArgument` if that has another digest
   */
  async finish(digest: Digest, body?: UploadBody, signal?: AbortSignal): Promise<void> {
    const url = new URL(this.#location);
    // By hand: a registry that signs its queries wants them back as they were.
    url.search = `${url.search === "" ? "?" : `${url.search}&`}digest=${encodeURIComponent(digest)}`;
    const sizeBytes = body && sizeOf(body);
    // The offset tells a registry that this is not the first part; of a whole blob there is none to tell.
    const range = this.#offset > 0 &&
      sizeBytes !== undefined &&
      sizeBytes > 0 && { "content-range": `${this.#offset}-${this.#offset + sizeBytes - 1}` };
    const answer = await this.#send("PUT", { ...binary, ...range }, body, signal, url);
    if (answer.status !== 201 && answer.status !== 204) throw await this.#refusal(answer);
    const said = headerOf(answer, "docker-content-digest");
    if (isDigest(said) && said !== digest) {
      const message = `upload to ${this.#repository.familiarName}: the registry keeps the blob as ${said}, not ${digest}`;
      throw new StrataError("Corrupt", message);
    }
  }

  /** Have the registry forget it; one that cannot will by itself, some day. */
  async cancel(signal?: AbortSignal): Promise<void> {
    const answer = await this.#send("DELETE", {}, undefined, signal);
    if (answer.status >= 400 && ![404, 405, 501].includes(answer.status)) throw await this.#refusal(answer);
  }

  #send(
    method: "GET" | "PATCH" | "PUT" | "DELETE",
    headers: Readonly<Record<string, string>>,
    body: UploadBody | undefined,
    signal: AbortSignal | undefined,
    to = this.#location,
  ): Promise<HttpAnswer> {
    const sizeBytes = body?.sizeBytes;
    const length = sizeBytes !== undefined && { "content-length": String(sizeBytes) };
    return this.#repository.send("push", {
      method,
      to,
      headers: { ...headers, ...length },
      ...(body && { body: body.data, once: true }),
      signal,
    });
  }

  #moveOn(answer: HttpAnswer, sentBytes: number | undefined): void {
    this.#location = headerOf(answer, "location")
      ? this.#repository.endpoint.location(answer, this.#what)
      : this.#location;
    this.#minChunkBytes = minChunkBytesOf(answer) ?? this.#minChunkBytes;
    const end = /^(?:bytes=)?0-(\d+)$/.exec(headerOf(answer, "range") ?? "")?.[1];
    // Registries say 0-0 for one byte and for none; nobody sends one.
    const arrived = end === undefined ? undefined : end === "0" ? 0 : Number(end) + 1;
    if (sentBytes === undefined) this.#offset = arrived ?? this.#offset;
    else this.#offset = arrived || this.#offset + sentBytes;
  }

  #refusal(answer: HttpAnswer): Promise<StrataError> {
    return this.#repository.refusal("push", answer, this.#what);
  }

  get #what(): string {
    return `upload to ${this.#repository.familiarName}`;
  }
}

/** Begin an upload. */
export async function startUpload(repository: RepositoryAt, signal?: AbortSignal): Promise<Upload> {
  const to = repository.path("blobs/uploads/");
  const answer = await repository.send("push", { method: "POST", to, signal });
  if (answer.status === 202) return uploadOf(repository, answer);
  throw await repository.refusal("push", answer, `upload to ${repository.familiarName}`);
}

/**
 * Have a blob of another repository of the same registry appear in this one.
 * @returns undefined if it has; else an upload that was begun in its place
 */
export async function mountBlob(
  repository: RepositoryAt,
  digest: Digest,
  from: string,
  signal?: AbortSignal,
): Promise<Upload | undefined> {
  const query = new URLSearchParams({ mount: digest, from });
  const to = repository.path(`blobs/uploads/?${query}`);
  const scopes = [repositoryScope(from, "pull")];
  const answer = await repository
    .send("push", { method: "POST", to, scopes, signal })
    .catch((error: unknown) => {
      // A token server may refuse instead of the registry.
      if (isStrataError(error, "FailedPrecondition")) return undefined;
      throw error;
    });
  if (answer?.status === 201) return undefined;
  if (answer?.status === 202) return uploadOf(repository, answer);
  // Not being allowed to read there, or a registry that does not know how, is no reason not to push.
  return await startUpload(repository, signal);
}

function uploadOf(repository: RepositoryAt, answer: HttpAnswer): Upload {
  const what = `upload to ${repository.familiarName}`;
  return new Upload(repository, repository.endpoint.location(answer, what), minChunkBytesOf(answer));
}

function minChunkBytesOf(answer: HttpAnswer): number | undefined {
  const text = headerOf(answer, "oci-chunk-min-length") ?? "";
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function sizeOf({ data, sizeBytes }: UploadBody): number | undefined {
  return data instanceof Uint8Array ? data.length : sizeBytes;
}
