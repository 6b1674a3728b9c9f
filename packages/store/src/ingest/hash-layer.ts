import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { Digest } from "@strata/core";
import type { Compression, Limits } from "@strata/layer";
import { decompress } from "../streams/decompress.ts";

/** What the bytes of a layer are, found out without unpacking it. */
export interface HashedLayer {
  readonly blob: Digest;
  readonly blobSize: number;
  readonly diffId: Digest;
  readonly compression: Compression;
}

export interface HashLayerOptions {
  /** Also write the bytes as they come to a new file of this path. @defaultValue they are not kept */
  readonly keepAs?: string;
  readonly limits?: Partial<Limits>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (bytesRead: number) => void;
}

/**
 * Read a layer's tar, compressed or not, once.
 * @throws StrataError `Corrupt`, if it cannot be decompressed; `InvalidArgument`, beyond a limit
 */
export async function hashLayer(
  bytes: AsyncIterable<Uint8Array>,
  { keepAs, limits, signal, onProgress }: HashLayerOptions = {},
): Promise<HashedLayer> {
  const blobHash = createHash("sha256");
  let blobSize = 0;
  const file = keepAs === undefined ? undefined : await open(keepAs, "wx", 0o600);
  try {
    const kept = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes) {
        signal?.throwIfAborted();
        blobHash.update(chunk);
        blobSize += chunk.length;
        await file?.writeFile(chunk);
        onProgress?.(blobSize);
        yield chunk;
      }
    };
    const { compression, bytes: plain } = await decompress(kept(), limits);
    const diffHash = compression === "none" ? undefined : createHash("sha256");
    for await (const chunk of plain) diffHash?.update(chunk);
    const blob: Digest = `sha256:${blobHash.digest("hex")}`;
    return { blob, blobSize, diffId: diffHash ? `sha256:${diffHash.digest("hex")}` : blob, compression };
  } finally {
    await file?.close();
  }
}
