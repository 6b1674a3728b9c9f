import { type Digest, StrataError } from "@strata/core";
import { connectionError } from "../http/connection-error.ts";
import { type HttpAnswer, headerOf } from "../http/message.ts";
import type { ResponseBody } from "../http/undici.ts";
import { lengthOf } from "./manifests.ts";
import type { RepositoryAt } from "./repository.ts";

/** As they came: a server that compresses on the way would make other bytes of them. */
const plain = { "accept-encoding": "identity" };

export interface BlobHead {
  readonly sizeBytes: number | undefined;
}

export interface BlobOptions {
  /** The first byte that is wanted. @defaultValue 0 */
  readonly from?: number;
  /** Ends the stream, too. */
  readonly signal?: AbortSignal | undefined;
}

/** A blob on its way. Its bytes are **not** verified: who reads them hashes them anyway. */
export interface FetchedBlob {
  /**
   * Read once, to its end or to a `break`; it holds a connection until then.
   * @throws StrataError `Aborted` where it breaks off: ask again, from the byte that was reached
   */
  readonly stream: AsyncIterable<Buffer>;
  /** The first byte of {@link stream}: what was asked for, or 0 if the server sends all, as servers may. */
  readonly from: number;
  /** The size of the whole blob in bytes, if the server says so. */
  readonly total: number | undefined;
  /** Give up without reading. Twice is fine. */
  cancel(): void;
}

/** @returns undefined if the repository does not have it */
export async function headBlob(
  repository: RepositoryAt,
  digest: Digest,
  signal?: AbortSignal,
): Promise<BlobHead | undefined> {
  const to = repository.path(`blobs/${digest}`);
  const answer = await repository.send("pull", { method: "HEAD", to, headers: plain, signal });
  if (answer.status === 404) return undefined;
  if (answer.status === 200) return { sizeBytes: lengthOf(answer) };
  throw await repository.refusal("pull", answer, whatOf(repository, digest));
}

export async function getBlob(
  repository: RepositoryAt,
  digest: Digest,
  { from = 0, signal }: BlobOptions = {},
): Promise<FetchedBlob> {
  const answer = await repository.send("pull", {
    method: "GET",
    to: repository.path(`blobs/${digest}`),
    headers: { ...plain, ...(from > 0 && { range: `bytes=${from}-` }) },
    stream: true,
    signal,
  });
  const { stream: body } = answer;
  if (body === undefined) throw await repository.refusal("pull", answer, whatOf(repository, digest));
  // Nobody may be listening yet, or any more, when the connection breaks.
  body.on("error", () => {});
  const range = rangeOf(answer);
  if (range === undefined || range.from > from) {
    body.destroy();
    const message = `${whatOf(repository, digest)}: ${repository.endpoint.host} sent another part than was asked for`;
    throw new StrataError("FailedPrecondition", message);
  }
  return {
    ...range,
    stream: readWith(body, (error) =>
      connectionError(error, answer.url, repository.endpoint.configPath, signal),
    ),
    cancel: () => body.destroy(),
  };
}

/** @returns whether there was one */
export async function deleteBlob(
  repository: RepositoryAt,
  digest: Digest,
  signal?: AbortSignal,
): Promise<boolean> {
  const to = repository.path(`blobs/${digest}`);
  const answer = await repository.send("delete", { method: "DELETE", to, signal });
  if (answer.status === 404) return false;
  if (answer.status === 202 || answer.status === 200 || answer.status === 204) return true;
  throw await repository.refusal("delete", answer, `delete of ${whatOf(repository, digest)}`);
}

async function* readWith(body: ResponseBody, toError: (error: unknown) => unknown): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } catch (error) {
    throw toError(error);
  }
}

/** Which part of the blob an answer is; undefined if it does not make sense. @see RFC 9110, section 14.4 */
function rangeOf(answer: HttpAnswer): { from: number; total: number | undefined } | undefined {
  if (answer.status !== 206) return { from: 0, total: lengthOf(answer) };
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headerOf(answer, "content-range") ?? "");
  if (match === null) return undefined;
  return { from: Number(match[1]), total: match[3] === "*" ? undefined : Number(match[3]) };
}

function whatOf({ familiarName }: RepositoryAt, digest: Digest): string {
  return `blob ${digest} of ${familiarName}`;
}
