import { isStrataError } from "@strata/core";
import { parseRange } from "../http/byte-range.ts";
import { RegistryError } from "../http/registry-error.ts";
import type { Handler, Handlers } from "./context.ts";
import { digestOf } from "./names.ts";

const get: Handler = async ({ repositories }, exchange, { rest }) => {
  const digest = digestOf(rest);
  const etag = `"${digest}"`;
  const known = { "docker-content-digest": digest, etag, "accept-ranges": "bytes" };
  const file = await repositories.openBlob(digest);
  if (file === undefined) throw unknown(digest);
  let isTaken = false;
  try {
    const headers = exchange.request.headers;
    if (headers["if-none-match"] === etag) {
      exchange.empty(304, known);
      return;
    }
    const { size } = await file.stat();
    const mayBePart = headers["if-range"] === undefined || headers["if-range"] === etag;
    const range = mayBePart ? parseRange(headers["range"], size) : undefined;
    if (range === "unsatisfiable") {
      throw new RegistryError(416, "SIZE_INVALID", `${headers["range"]}: the blob has ${size} bytes`, {
        headers: { "content-range": `bytes */${size}` },
      });
    }
    isTaken = true;
    // A digest always stands for the same bytes.
    const all = { ...known, "content-type": "application/octet-stream", "cache-control": "max-age=31536000" };
    await (range === undefined
      ? exchange.file(200, file, { start: 0, end: size - 1 }, all)
      : exchange.file(206, file, range, {
          ...all,
          "content-range": `bytes ${range.start}-${range.end}/${size}`,
        }));
  } finally {
    if (!isTaken) await file.close();
  }
};

const remove: Handler = async ({ repositories }, exchange, { rest }) => {
  const digest = digestOf(rest);
  try {
    if (!(await repositories.removeBlob(digest))) throw unknown(digest);
  } catch (error) {
    if (!isStrataError(error, "FailedPrecondition")) throw error;
    throw new RegistryError(405, "UNSUPPORTED", error.message);
  }
  exchange.empty(202);
};

export const blobHandlers: Handlers = { GET: get, DELETE: remove };

function unknown(digest: string): RegistryError {
  return new RegistryError(404, "BLOB_UNKNOWN", `there is no blob ${digest}`);
}
