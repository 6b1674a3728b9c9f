import { chmod, mkdir } from "node:fs/promises";
import {
  type CallOptions,
  type Capabilities,
  type CreateOptions,
  copyTree,
  createDriver,
  type DriverMechanism,
  type DriverOptions,
  errnoCode,
  type PlainLayout,
  removeTree,
  type SnapshotPlace,
  type StorageDriver,
  StrataError,
  supported,
  treeUsage,
  type Usage,
  unsupported,
} from "@strata/core";
import { AT_FDCWD, removexattrat, setxattrat } from "@strata/linux";

/** A storage driver that keeps each snapshot as a whole copy. */
export function example(options: DriverOptions): Promise<StorageDriver> {
  return createDriver(mechanism, options);
}

/** In each snapshot's directory, `tree` is the whole tree. */
const mechanism: DriverMechanism = {
  name: "example",
  probe,
  create,
  layout,
  mount,
  mountedAt,
  unmount,
  seal,
  destroy,
  usage,
};

/** What this driver can do here, with the reasons. What it cannot do on this host at all, it refuses. */
async function probe(root: string): Promise<Capabilities> {
  if (process.geteuid?.() !== 0) {
    throw new StrataError(
      "Unsupported",
      `example cannot work in ${root}: it keeps owners and devices; run as root`,
    );
  }
  return {
    sharesParent: unsupported("a snapshot is a copy of its parent"),
    readonlyViews: unsupported("a view is a copy, which can be written"),
    rebase: unsupported("a snapshot holds a whole tree, not what differs from a parent"),
    ownership: supported("runs as root"),
    xattrs: keepsXattrs(root)
      ? supported("copyTree copies them")
      : unsupported("the file system does not keep them"),
    hardlinksKeptOnWrite: supported("copyTree keeps hardlinks"),
    quotaBytes: unsupported("plain directories have no quotas"),
    quotaInodes: unsupported("plain directories have no quotas"),
    maxDepth: 500,
  };
}

/** By trying it out: no list of file systems is ever complete. */
function keepsXattrs(root: string): boolean {
  try {
    setxattrat(AT_FDCWD, root, "user.probe", Buffer.from("1"));
    removexattrat(AT_FDCWD, root, "user.probe");
    return true;
  } catch (error) {
    if (errnoCode(error) === "ENOTSUP") return false;
    throw error;
  }
}

/** Make the tree: the parent's, or an empty one. If this fails, core calls `destroy`. */
async function create(place: SnapshotPlace, options: CreateOptions): Promise<void> {
  const [parent] = place.parents;
  if (parent !== undefined) return copyTree(treeOf(parent), treeOf(place.dir), options);
  await mkdir(treeOf(place.dir));
  await chmod(treeOf(place.dir), 0o755); // Whatever the umask.
}

/** Where apply and diff find the bytes. */
function layout({ dir, parents: [parent] }: SnapshotPlace): PlainLayout {
  return { format: "plain", dir: treeOf(dir), ...(parent !== undefined && { base: treeOf(parent) }) };
}

/** Called only when {@link mountedAt} says that the tree is not visible, which here it always is. */
async function mount(place: SnapshotPlace): Promise<string> {
  return treeOf(place.dir);
}

async function mountedAt(place: SnapshotPlace): Promise<string> {
  return treeOf(place.dir);
}

async function unmount(): Promise<void> {
  // There is no mount to undo.
}

async function seal(): Promise<void> {
  // A tree is whole as it is.
}

function destroy(dir: string, options: CallOptions): Promise<Usage> {
  return removeTree(dir, options);
}

function usage(place: SnapshotPlace, options: CallOptions): Promise<Usage> {
  return treeUsage(treeOf(place.dir), options);
}

function treeOf(dir: string): string {
  return `${dir}/tree`;
}
