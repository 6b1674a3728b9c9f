import { type Digest, isStrataError } from "@strata/core";
import type { Upload } from "@strata/store";
import { parseContentRange } from "../http/byte-range.ts";
import type { Exchange } from "../http/exchange.ts";
import { RegistryError } from "../http/registry-error.ts";
import type { ApiContext, Handler, Handlers, Target } from "./context.ts";
import { digestOf } from "./names.ts";

const begin: Handler = async (context, exchange, target) => {
  const { repositories, maxUploads } = context;
  const mounted = exchange.query.get("mount");
  if (mounted !== null) {
    const digest = digestOf(mounted);
    if (await repositories.holdBlob(digest)) {
      created(exchange, target, digest);
      return;
    }
  }
  const wanted = exchange.query.get("digest");
  const digest = wanted === null || mounted !== null ? undefined : digestOf(wanted);
  if (repositories.uploadCount >= maxUploads) {
    const message = `${maxUploads} uploads are under way: try again later`;
    throw new RegistryError(429, "TOOMANYREQUESTS", message, { headers: { "retry-after": "10" } });
  }
  const upload = await repositories.beginUpload(target.name);
  if (digest === undefined) {
    exchange.empty(202, stateOf(upload, target));
    return;
  }
  try {
    await append(context, exchange, target, upload);
    await exchange.patiently(() => finish(context, upload, digest));
  } catch (error) {
    // Its client does not know where to go on with it.
    await repositories.cancelUpload(upload);
    throw error;
  }
  created(exchange, target, digest);
};

const status: Handler = async (context, exchange, target) => {
  exchange.empty(204, stateOf(find(context, target), target));
};

const patch: Handler = async (context, exchange, target) => {
  const upload = find(context, target);
  await append(context, exchange, target, upload);
  exchange.empty(202, stateOf(upload, target));
};

const put: Handler = async (context, exchange, target) => {
  const upload = find(context, target);
  const digest = digestOf(exchange.query.get("digest"));
  if (exchange.bodyBytes !== 0) await append(context, exchange, target, upload);
  await exchange.patiently(() => finish(context, upload, digest));
  created(exchange, target, digest);
};

const cancel: Handler = async (context, exchange, target) => {
  await context.repositories.cancelUpload(find(context, target));
  exchange.empty(204);
};

export const beginHandlers: Handlers = { POST: begin };
export const uploadHandlers: Handlers = { GET: status, PATCH: patch, PUT: put, DELETE: cancel };

function find({ repositories }: ApiContext, { name, rest }: Target): Upload {
  const upload = repositories.upload(name, rest);
  if (upload !== undefined) return upload;
  throw unknown(`there is no upload ${rest}`);
}

function unknown(message: string): RegistryError {
  return new RegistryError(404, "BLOB_UPLOAD_UNKNOWN", message);
}

/** Where the upload is. `0-0` stands for one byte and for none, as everywhere. */
function stateOf(upload: Upload, { path }: Target): Record<string, string> {
  return {
    location: `/v2/${path}/blobs/uploads/${upload.id}`,
    range: `0-${Math.max(upload.offset - 1, 0)}`,
    "docker-upload-uuid": upload.id,
  };
}

function created(exchange: Exchange, { path }: Target, digest: Digest): void {
  exchange.empty(201, { location: `/v2/${path}/blobs/${digest}`, "docker-content-digest": digest });
}

async function append(
  { maxBlobBytes }: ApiContext,
  exchange: Exchange,
  target: Target,
  upload: Upload,
): Promise<void> {
  const { bodyBytes } = exchange;
  const header = exchange.request.headers["content-range"];
  const range = header === undefined ? undefined : parseContentRange(header);
  if (header !== undefined && range === undefined) {
    throw new RegistryError(400, "BLOB_UPLOAD_INVALID", `Content-Range ${header}: expected first-last`);
  }
  const bytes = range && range.end - range.start + 1;
  if (bytes !== undefined && bodyBytes !== undefined && bytes !== bodyBytes) {
    const message = `Content-Range ${header} is ${bytes} bytes, Content-Length ${bodyBytes}`;
    throw new RegistryError(400, "SIZE_INVALID", message);
  }
  const total = (range?.start ?? upload.offset) + (bytes ?? bodyBytes ?? 0);
  const tooLarge = (): RegistryError =>
    new RegistryError(413, "SIZE_INVALID", `a blob may have ${maxBlobBytes} bytes here`);
  if (total > maxBlobBytes) throw tooLarge();
  const { offset } = upload;
  try {
    await upload.append(exchange.request, {
      maxBytes: maxBlobBytes,
      ...(range && { from: range.start }),
      ...(bytes !== undefined && { bytes }),
    });
  } catch (error) {
    if (isStrataError(error, "NotFound")) throw unknown(error.message);
    if (isStrataError(error, "FailedPrecondition")) {
      const headers = stateOf(upload, target);
      throw new RegistryError(416, "BLOB_UPLOAD_INVALID", error.message, { headers });
    }
    if (!isStrataError(error, "InvalidArgument")) throw error;
    throw bytes === undefined ? tooLarge() : new RegistryError(400, "SIZE_INVALID", error.message);
  } finally {
    exchange.receivedBytes += Math.max(upload.offset - offset, 0);
  }
}

async function finish({ repositories }: ApiContext, upload: Upload, digest: Digest): Promise<void> {
  try {
    await repositories.finishUpload(upload, digest);
  } catch (error) {
    if (isStrataError(error, "InvalidArgument"))
      throw new RegistryError(400, "DIGEST_INVALID", error.message);
    if (isStrataError(error, "NotFound")) throw unknown(error.message);
    throw error;
  }
}
