import { StrataError } from "@strata/core";
import type { ResponseBody } from "./undici.ts";

/** The largest document that is read from a server, in bytes. @see distribution-spec, "Pushing Manifests" */
const maxDocumentBytes = 4 * 1024 * 1024;

/**
 * All of a body that must fit into memory.
 * @throws StrataError `InvalidArgument` if it is longer, and it is not read to its end
 */
export async function readBounded(body: ResponseBody, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxDocumentBytes) {
      throw new StrataError(
        "InvalidArgument",
        `${what}: the answer is longer than ${maxDocumentBytes} bytes`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
