import { open } from "node:fs/promises";
import { posix } from "node:path";
import { isStrataError, StrataError } from "@strata/core";
import type { LayerSource } from "@strata/layer";
import { maxDocumentBytes } from "../documents.ts";

/** A file in an archive: a range of bytes on disk. */
export type Member = Required<Omit<LayerSource, "arriving">>;

/** An image archive or layout, opened for reading: files by name. */
export interface Archive {
  /** Names the archive in errors. */
  readonly what: string;
  /** The members are whole files of the staging directory. */
  readonly staged: boolean;
  /**
   * Find a member; a link is followed inside the archive only.
   * @throws StrataError `InvalidArgument`, if the name, or a link on the way, leads out of the archive
   */
  find(name: string): Promise<Member | undefined>;
}

const mostHops = 32;

/** The members of a tar archive. */
export class TarMembers implements Archive {
  readonly what: string;
  readonly staged: boolean;
  readonly #members = new Map<string, Member | { readonly target: string }>();

  constructor(what: string, staged: boolean) {
    this.what = what;
    this.staged = staged;
  }

  get size(): number {
    return this.#members.size;
  }

  /** As on extraction, the last member of a name counts. */
  addFile(name: string, member: Member): void {
    this.#members.set(memberName(name, this.what), member);
  }

  /** @param target - as in the archive: of a symlink, relative to its own directory */
  addLink(name: string, target: string, type: "link" | "symlink"): void {
    const own = memberName(name, this.what);
    // Resolved when it is followed: a link that leads out and that nobody follows does no harm.
    this.#members.set(own, { target: type === "link" ? target : resolveFrom(own, target) });
  }

  async find(name: string): Promise<Member | undefined> {
    let at = name;
    for (let hops = 0; hops < mostHops; hops += 1) {
      const found = this.#members.get(memberName(at, this.what));
      if (found === undefined || "path" in found) return found;
      at = found.target;
    }
    throw new StrataError("InvalidArgument", `${this.what}: the links from "${name}" go round in a circle`);
  }
}

function resolveFrom(link: string, target: string): string {
  return target.startsWith("/") ? target : posix.join(posix.dirname(link), target);
}

/**
 * The plain form of a member's name.
 * @throws StrataError `InvalidArgument`, if it leads out of the archive
 */
export function memberName(name: string, what: string): string {
  const plain = posix.normalize(name).replace(/\/$/, "");
  if (name !== "" && !name.includes("\0") && !plain.startsWith("/") && !/^\.\.(\/|$)/.test(plain))
    return plain;
  throw new StrataError(
    "InvalidArgument",
    `${what}: the name ${JSON.stringify(name)} leads out of the archive`,
  );
}

/** A member that must be there. @throws StrataError `InvalidArgument` */
export async function findMember(archive: Archive, name: string): Promise<Member> {
  const member = await archive.find(name);
  if (member) return member;
  throw new StrataError("InvalidArgument", `${archive.what}: there is no ${JSON.stringify(name)} in it`);
}

/** The bytes of a member that is a document. @throws StrataError `InvalidArgument`, if it is too large for one */
export async function readDocument(archive: Archive, name: string): Promise<Buffer> {
  const { path, offset, length } = await findMember(archive, name);
  if (length > maxDocumentBytes) {
    throw new StrataError(
      "InvalidArgument",
      `${archive.what}: ${name} has ${length} bytes, more than such a document may have (${maxDocumentBytes})`,
    );
  }
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The error for what has no member that could be read. Its beginning is docker's. */
export function notAnArchive(why: string, cause?: unknown): StrataError {
  return new StrataError("InvalidArgument", `unexpected EOF: this is not an image archive: ${why}`, {
    cause,
  });
}

/** What went wrong with an archive's headers. Before the first member, it is that this is no archive at all. */
export function headerError(members: TarMembers, error: unknown): unknown {
  return members.size === 0 && isStrataError(error, "InvalidArgument")
    ? notAnArchive(error.message, error)
    : error;
}
