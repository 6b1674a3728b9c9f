import { type CallOptions, type LayerLayout, toStrataError } from "@strata/core";
import type { ChangeKind, ChangeNode } from "./diff/change-tree.ts";
import { childPath } from "./diff/entries.ts";
import { findChanges } from "./diff/find-changes.ts";
import { streamInTurns } from "./diff/stream-in-turns.ts";

/** One path that a layer adds, modifies or deletes. */
export interface Change {
  /** Relative to the root, without a leading slash; empty for the root itself. */
  readonly path: Buffer;
  /** A path that was one type of file and is now another is `modified`. Below a deleted path, nothing is listed. */
  readonly kind: ChangeKind;
}

/**
 * What a layer changes against its parent, sorted bytewise by path components: a directory before what is in it.
 *
 * Exact: names are compared by all that a layer can hold (type, mode, owner, size, mtime in ns, device number, link
 * target, extended attributes), and by content where these agree. A file that was rewritten as it was is no change, one
 * with other bytes of the same size and mtime is. That two names have become one file is a change of both; that one
 * file has become two equal ones is none. Sockets are taken as not there, mounts inside the tree as unchanged. The
 * directories above a change are listed as modified, the root only if it changed itself or directly holds the change.
 *
 * Cost, all of it before the first path: for an overlay layout, what the change costs; for a plain one, a walk of both
 * trees that reads what is equal in all but content, or, where the driver tells, of what was touched.
 * @throws StrataError `Busy`, if a path disappears or changes its type while it is read
 */
export async function* changes(layout: LayerLayout, options: CallOptions = {}): AsyncGenerator<Change> {
  try {
    yield* streamInTurns(list(await findChanges(layout, options)), options);
  } catch (error) {
    throw toStrataError(error, `changes of ${layout.dir}`);
  }
}

function* list(root: ChangeNode): Generator<Change, void> {
  const waiting = [{ node: root, path: root.name }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, path } = next;
    if (node.change !== undefined) yield { path, kind: node.change };
    for (const child of node.children.toReversed()) {
      waiting.push({ node: child, path: childPath(path, child.name) });
    }
  }
}
