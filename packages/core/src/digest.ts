import { createHash } from "node:crypto";
import { StrataError } from "./errors.ts";

/** `sha256:` and 64 lower-case hex digits. */
export type Digest = `sha256:${string}`;

const form = /^sha256:[0-9a-f]{64}$/;

/** Whether `text` is a digest this store takes: SHA-256 only, canonical form. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === "string" && form.test(text);
}

/**
 * Parse a digest that comes from outside. Algorithms are allow-listed (SHA-256), since a digest is also a path.
 * @throws StrataError `InvalidArgument`
 */
export function parseDigest(text: unknown, what = "digest"): Digest {
  if (isDigest(text)) return text;
  throw new StrataError(
    "InvalidArgument",
    `${what}: ${JSON.stringify(text) ?? "nothing"} is not a sha256 digest`,
  );
}

/** The 64 hex digits of a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice("sha256:".length);
}

/** The digest of bytes in memory. Cost: one SHA-256 pass. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/**
 * The ChainIDs of a list of DiffIDs, bottom first: ChainID(0) = DiffID(0), ChainID(n) = SHA-256 of
 * `ChainID(n-1) + " " + DiffID(n)`.
 * @see OCI image-spec, config.md, "Layer ChainID"
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}
