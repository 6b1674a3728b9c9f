import { type Capabilities, supported, unsupported } from "@strata/core";

/** What the driver in memory can do, wherever it runs. */
export const capabilities: Capabilities = {
  sharesParent: unsupported("a snapshot starts as a copy of its parent"),
  readonlyViews: supported("read-only bind mounts"),
  rebase: unsupported("a snapshot holds a whole tree, not what differs from a parent"),
  ownership: supported("runs as root"),
  xattrs: supported("kept by tmpfs"),
  hardlinksKeptOnWrite: supported("each snapshot has its own files"),
  quotaBytes: supported("a tmpfs of a limited size"),
  quotaInodes: supported("a tmpfs with a limited number of inodes"),
  maxDepth: 130,
};
