import { type Digest, StrataError } from "@strata/core";
import type { IndexEntry } from "../content/image-index.ts";
import { parseReference, type Reference } from "../reference.ts";
import { shortId } from "../short-id.ts";
import { findNamed, groupByImage, type ImageEntries, imageIdOf } from "./references.ts";

/** An image that was asked for. */
export interface FoundImage {
  readonly id: Digest;
  /** All entries of the image; the first is one that was asked for. */
  readonly entries: ImageEntries;
  /** What it was found by; undefined, if by ID. */
  readonly reference: Reference | undefined;
}

/**
 * Find an image by name, `name:tag`, `name@digest`, ID, or a prefix of its ID, with or without `sha256:`. A name goes
 * before a prefix that looks like it.
 * @throws StrataError `NotFound`, "No such image: x"
 * @throws StrataError `InvalidArgument`, if `text` is neither, or a prefix of several IDs
 */
export function findImage(entries: readonly IndexEntry[], text: string): FoundImage {
  const prefix = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)?.[1];
  const reference = prefix?.length === 64 ? undefined : parseIfName(text, prefix !== undefined);
  const named = reference && findNamed(entries, reference);
  if (named) {
    const id = imageIdOf(named);
    const others = entries.filter((entry) => entry !== named && imageIdOf(entry) === id);
    return { id, entries: [named, ...others], reference };
  }
  if (prefix !== undefined) {
    const [found, ...more] = [...groupByImage(entries)].filter(([id]) => id.startsWith(`sha256:${prefix}`));
    if (found !== undefined && more.length > 0) throw ambiguous(text, [found, ...more]);
    if (found !== undefined) return { id: found[0], entries: found[1], reference: undefined };
  }
  throw new StrataError("NotFound", `No such image: ${text}`);
}

function parseIfName(text: string, mayBeId: boolean): Reference | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (mayBeId) return undefined;
    throw error;
  }
}

function ambiguous(text: string, images: readonly (readonly [Digest, unknown])[]): StrataError {
  const ids = images.map(([id]) => shortId(id)).join(", ");
  return new StrataError(
    "InvalidArgument",
    `"${text}" begins the ID of ${images.length} images: ${ids}; give more digits`,
  );
}
