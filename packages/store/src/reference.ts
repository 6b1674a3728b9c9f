import { type Digest, isDigest, StrataError } from "@strata/core";

/** The registry of a reference that names none. */
export const defaultRegistry = "docker.io";
/** The tag of a reference that has neither tag nor digest. */
export const defaultTag = "latest";

const maxNameLength = 255;

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagForm = /^\w[\w.-]{0,127}$/;
const host =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;

/**
 * The name of an image: `registry/repository`, with a tag, a digest, or both.
 * @see https://github.com/distribution/reference, the grammar that docker follows
 */
export class Reference {
  /** Host, with its port if one was given: `docker.io`, `localhost:5000`. */
  readonly registry: string;
  /** The path on the registry: `library/debian`, `user/project/name`. */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;

  constructor(registry: string, repository: string, tag?: string, digest?: Digest) {
    this.registry = registry;
    this.repository = repository;
    this.tag = tag;
    this.digest = digest;
  }

  /** Registry and repository: `docker.io/library/debian`. */
  get name(): string {
    return `${this.registry}/${this.repository}`;
  }

  /** As docker prints {@link name}: `debian` for `docker.io/library/debian`. Reads back as the same name. */
  get familiarName(): string {
    const [first = "", second, ...more] = this.repository.split("/");
    if (this.registry !== defaultRegistry || looksLikeHost(first)) return this.name;
    return first === "library" && second && more.length === 0 ? second : this.repository;
  }

  /** The full form, which is how references are stored: `docker.io/library/debian:latest`. */
  toString(): string {
    return this.name + this.#suffix();
  }

  /** The form that docker prints: `debian:latest`. */
  familiar(): string {
    return this.familiarName + this.#suffix();
  }

  #suffix(): string {
    return (this.tag ? `:${this.tag}` : "") + (this.digest ? `@${this.digest}` : "");
  }
}

/**
 * Read a reference as docker does: `debian` is `docker.io/library/debian:latest`.
 * @throws StrataError `InvalidArgument`, "invalid reference format: ..." with what is wrong
 */
export function parseReference(text: string): Reference {
  const given = parseName(text);
  return given.tag || given.digest ? given : new Reference(given.registry, given.repository, defaultTag);
}

/**
 * The same as {@link parseReference}, but without a default tag: for callers that must know whether a tag was given.
 * @throws StrataError `InvalidArgument`
 */
export function parseName(text: string): Reference {
  if (text === "") throw invalid("it is empty");
  if (/^[a-f0-9]{64}$/.test(text))
    throw invalid(`${text} is an image ID: 64 hex digits cannot name a repository`);
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : parseReferenceDigest(text.slice(at + 1));
  const named = at < 0 ? text : text.slice(0, at);
  // A colon before the last slash belongs to a port.
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  const tag = colon < 0 ? undefined : parseTag(named.slice(colon + 1));
  const { registry, repository } = splitName(colon < 0 ? named : named.slice(0, colon));
  return new Reference(registry, repository, tag, digest);
}

/**
 * Read a reference that an image is to be given: the same as {@link parseReference}, but nobody can give a digest.
 * @throws StrataError `InvalidArgument`
 */
export function parseTarget(text: string): Reference {
  const reference = parseReference(text);
  if (reference.digest === undefined) return reference;
  throw new StrataError("InvalidArgument", `refusing to create a tag with a digest reference: ${text}`);
}

function splitName(name: string): { registry: string; repository: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const hasHost = looksLikeHost(first);
  const registry = !hasHost || first === "index.docker.io" ? defaultRegistry : first;
  const path = hasHost ? name.slice(slash + 1) : name;
  const repository = registry === defaultRegistry && !path.includes("/") ? `library/${path}` : path;

  if (registry.length + 1 + repository.length > maxNameLength) {
    throw invalid(`repository name must not be more than ${maxNameLength} characters`);
  }
  if (path === "") throw invalid("the repository name is empty");
  if (!host.test(registry)) {
    throw invalid(`registry ${quote(registry)} is not a host name with an optional port`);
  }
  if (/[A-Z]/.test(repository)) throw invalid(`repository name (${repository}) must be lowercase`);
  const bad = repository.split("/").find((part) => !component.test(part));
  if (bad !== undefined) {
    throw invalid(
      `${quote(bad)} in repository name ${quote(repository)}: a component is lowercase letters and digits, separated by ".", "_", "__" or dashes`,
    );
  }
  return { registry, repository };
}

/** What stands before the first slash of a name is a registry only if it cannot be part of a repository's path. */
function looksLikeHost(first: string): boolean {
  return /[.:A-Z]/.test(first) || first === "localhost";
}

function parseTag(tag: string): string {
  if (tagForm.test(tag)) return tag;
  throw invalid(
    `tag ${quote(tag)}: a tag is 1 to 128 letters, digits, "_", "." and "-", and starts with neither "." nor "-"`,
  );
}

function parseReferenceDigest(digest: string): Digest {
  if (isDigest(digest)) return digest;
  throw invalid(`digest ${quote(digest)} is not "sha256:" and 64 hex digits`);
}

function invalid(why: string): StrataError {
  return new StrataError("InvalidArgument", `invalid reference format: ${why}`);
}

function quote(text: string): string {
  return JSON.stringify(text);
}
