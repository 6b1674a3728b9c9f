import { type Digest, StrataError } from "@strata/core";
import { type IndexEntry, referenceOf } from "../content/image-index.ts";
import { parseName, type Reference } from "../reference.ts";
import { shortId } from "../short-id.ts";
import { type FoundImage, findImage } from "./find.ts";
import {
  groupByImage,
  hasDigest,
  type ImageEntries,
  imageIdOf,
  repoDigestsOf,
  tagsOf,
  takeReference,
} from "./references.ts";

/** A container, as far as it stands in the way of removing its image. */
export interface ImageUser {
  readonly id: string;
  readonly imageId: Digest;
  readonly running: boolean;
}

export interface RemovalOptions {
  readonly force: boolean;
  readonly prune: boolean;
}

export type RemovalStep = { readonly untagged: string } | { readonly image: ImageEntries };

export interface RemovalPlan {
  /** What happens, in this order. */
  readonly steps: readonly RemovalStep[];
  /** The index afterwards. */
  readonly entries: readonly IndexEntry[];
}

/**
 * What removing `text` means, by docker's rules. By a reference: it is taken away, and the image goes with its last
 * one, unless something needs it. By an ID: the image goes, unless something needs it or it has references in several
 * repositories.
 * @throws StrataError `NotFound`, "No such image: x"
 * @throws StrataError `FailedPrecondition`, with docker's words for the conflict
 */
export function planRemoval(
  entries: readonly IndexEntry[],
  users: readonly ImageUser[],
  text: string,
  { force, prune }: RemovalOptions,
): RemovalPlan {
  const image = findImage(entries, text);
  const [user] = users.filter((each) => each.imageId === image.id);
  if (image.reference === undefined) {
    const conflict = findConflict(entries, users, image.id, force);
    if (conflict !== undefined) throw conflict;
    return withoutImage(entries, users, image.id, prune);
  }
  if (user && !force && isSingleReference(image.entries)) {
    throw new StrataError(
      "FailedPrecondition",
      `conflict: unable to remove repository reference "${text}" (must force) - container ${shortId(user.id)} is using its referenced image ${shortId(image.id)}`,
    );
  }
  const taken = entriesOf(image, image.reference);
  const rest = taken.reduce((left, entry) => takeReference(left, referenceOf(entry) ?? ""), entries);
  const steps = untaggings(taken, rest);
  const isNameless = rest.every((entry) => imageIdOf(entry) !== image.id || !referenceOf(entry));
  if (!isNameless || user || childrenOf(rest, image.id).length > 0) return { steps, entries: rest };
  const removal = withoutImage(rest, users, image.id, prune);
  return { steps: [...steps, ...removal.steps], entries: removal.entries };
}

/** The image goes, and with it every ancestor that only it kept. */
function withoutImage(
  entries: readonly IndexEntry[],
  users: readonly ImageUser[],
  id: Digest,
  prune: boolean,
): RemovalPlan {
  const own = groupByImage(entries).get(id);
  if (own === undefined) return { steps: [], entries };
  const rest = entries.filter((entry) => imageIdOf(entry) !== id);
  const steps = [...untaggings(own, rest), { image: own }];
  const parent = own[0].annotations["dev.strata.parent.id"];
  if (!prune || parent === undefined) return { steps, entries: rest };
  const isNeeded =
    rest.some((entry) => imageIdOf(entry) === parent && referenceOf(entry)) ||
    users.some((user) => user.imageId === parent) ||
    childrenOf(rest, parent).length > 0;
  if (isNeeded) return { steps, entries: rest };
  const further = withoutImage(rest, users, parent, prune);
  return { steps: [...steps, ...further.steps], entries: further.entries };
}

/** What goes with a reference: with the last tag of a repository what is there by digest only, and with a digest all. */
function entriesOf({ entries: [found, ...others] }: FoundImage, { name, digest }: Reference): IndexEntry[] {
  const ofRepository = others.filter((entry) => nameIn(entry)?.name === name);
  if (digest !== undefined) return [found, ...ofRepository.filter((entry) => hasDigest(entry, digest))];
  const isLastTag = ofRepository.every((entry) => nameIn(entry)?.digest !== undefined);
  return isLastTag ? [found, ...ofRepository] : [found];
}

function untaggings(taken: readonly IndexEntry[], rest: readonly IndexEntry[]): RemovalStep[] {
  const kept = new Set(repoDigestsOf(rest));
  const digests = repoDigestsOf(taken).filter((name) => !kept.has(name));
  return [...tagsOf(taken), ...digests.map(parseName)].map((name) => ({ untagged: name.familiar() }));
}

/** All references are of one repository, and at most one has a tag. */
function isSingleReference(own: ImageEntries): boolean {
  const names = own.flatMap((entry) => referenceOf(entry) ?? []).map((name) => parseName(name).name);
  return new Set(names).size === 1 && tagsOf(own).length <= 1;
}

/** Why an image cannot be removed by its ID, in docker's words and order. */
function findConflict(
  entries: readonly IndexEntry[],
  users: readonly ImageUser[],
  id: Digest,
  force: boolean,
): StrataError | undefined {
  const conflict = (kind: string, why: string) =>
    new StrataError("FailedPrecondition", `conflict: unable to delete ${shortId(id)} (${kind}) - ${why}`);
  const children = childrenOf(entries, id);
  if (children.length > 0) {
    return conflict("cannot be forced", `image has dependent child images: ${describeChildren(children)}`);
  }
  const own = users.filter((user) => user.imageId === id);
  const running = own.find((user) => user.running);
  if (running) {
    return conflict("cannot be forced", `image is being used by running container ${shortId(running.id)}`);
  }
  if (force) return undefined;
  const image = groupByImage(entries).get(id);
  if (image?.some((entry) => referenceOf(entry)) && !isSingleReference(image)) {
    return conflict("must be forced", "image is referenced in multiple repositories");
  }
  const [stopped] = own;
  return (
    stopped && conflict("must be forced", `image is being used by stopped container ${shortId(stopped.id)}`)
  );
}

function childrenOf(entries: readonly IndexEntry[], id: Digest): ImageEntries[] {
  return [...groupByImage(entries).values()].filter(
    ([entry]) => entry.annotations["dev.strata.parent.id"] === id,
  );
}

/** Docker leaves the user to find the children; here the command that removes them is there to copy. */
function describeChildren(children: readonly ImageEntries[]): string {
  const names = children.map((own) => ({ id: shortId(imageIdOf(own[0])), name: tagsOf(own)[0]?.familiar() }));
  const list = names.map(({ id, name }) => (name === undefined ? id : `${name} (${id})`)).join(", ");
  const command = names.map(({ id, name }) => name ?? id).join(" ");
  return `${list}; remove them first: strata rmi ${command}`;
}

function nameIn(entry: IndexEntry): Reference | undefined {
  const reference = referenceOf(entry);
  return reference === undefined ? undefined : parseName(reference);
}
