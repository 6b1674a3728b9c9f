import { StrataError } from "@strata/core";
import type { Reference } from "../reference.ts";
import { referenceMatcher } from "./pattern.ts";

/** What `images` can be narrowed by. All filters must hold; of several `reference` filters, one. */
export interface ImageFilter {
  readonly key: "dangling" | "label" | "before" | "since" | "reference";
  /** `true` or `false`; `name` or `name=value`; an image; a pattern like `debian:1*`. */
  readonly value: string;
}

/**
 * Read a filter as it is typed: `label=stage=build`.
 * @throws StrataError `InvalidArgument`
 */
export function parseImageFilter(text: string): ImageFilter {
  const equals = text.indexOf("=");
  if (equals < 0) throw invalid(`bad format of filter (expected name=value): ${text}`);
  const [key, value] = [text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim()];
  switch (key) {
    case "dangling":
    case "label":
    case "before":
    case "since":
    case "reference":
      return { key, value };
    default:
      throw invalid(`invalid filter '${key}': there are before, dangling, label, reference and since`);
  }
}

/** What a filter can look at. */
export interface Filtered {
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly created: string;
}

/** The filters of one listing, read once. */
export interface Selection {
  /** Dangling images only, or none of them, or both. */
  readonly dangling: boolean | undefined;
  /** Absent, if references do not matter. */
  readonly matchesReference: ((reference: Reference) => boolean) | undefined;
  matches(image: Filtered): boolean;
}

/**
 * @param createdOf - when an image was made, RFC 3339; throws if there is no such image
 * @throws StrataError `InvalidArgument`
 */
export function readFilters(
  filters: readonly ImageFilter[],
  patterns: readonly string[],
  createdOf: (image: string) => string,
): Selection {
  const values = (key: ImageFilter["key"]) =>
    filters.filter((one) => one.key === key).map((one) => one.value);
  const references = [...values("reference"), ...patterns].map(referenceMatcher);
  const before = values("before").map((image) => Date.parse(createdOf(image)));
  const since = values("since").map((image) => Date.parse(createdOf(image)));
  const labels = values("label").map(labelMatcher);
  return {
    dangling: values("dangling").map(parseBoolean).at(-1),
    matchesReference:
      references.length === 0 ? undefined : (reference) => references.some((matches) => matches(reference)),
    matches: (image) => {
      const created = Date.parse(image.created);
      return (
        before.every((time) => created < time) &&
        since.every((time) => created > time) &&
        labels.every((matches) => matches(image.labels))
      );
    },
  };
}

function labelMatcher(text: string): (labels: Filtered["labels"]) => boolean {
  const equals = text.indexOf("=");
  if (equals < 0) return (labels) => Object.hasOwn(labels, text);
  const [name, value] = [text.slice(0, equals), text.slice(equals + 1)];
  return (labels) => Object.hasOwn(labels, name) && labels[name] === value;
}

function parseBoolean(text: string): boolean {
  if (/^(?:1|t|true)$/i.test(text)) return true;
  if (/^(?:0|f|false)$/i.test(text)) return false;
  throw invalid(`invalid filter 'dangling=${text}': true or false`);
}

function invalid(message: string): StrataError {
  return new StrataError("InvalidArgument", message);
}
