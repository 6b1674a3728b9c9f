import { chmodSync, mkdirSync } from "node:fs";
import {
  createDriver,
  type DriverMechanism,
  type DriverOptions,
  inTurns,
  removeTree,
  type SnapshotPlace,
  type StorageDriver,
  supported,
  treeUsage,
  unsupported,
} from "@strata/core";
import { TreeCopy } from "../memory/tree-copy.ts";

/** The least that a driver with its state on disk is: whole copies of trees in plain directories, views as well. */
export function disk(options: DriverOptions): Promise<StorageDriver> {
  return createDriver(mechanism, options);
}

const mechanism: DriverMechanism = {
  name: "disk",

  async probe() {
    return {
      sharesParent: unsupported("a snapshot starts as a copy of its parent"),
      readonlyViews: unsupported("a view is a copy"),
      rebase: unsupported("a snapshot holds a whole tree, not what differs from a parent"),
      ownership: supported("runs as root"),
      xattrs: supported("on the file systems that this is tested on"),
      hardlinksKeptOnWrite: supported("each snapshot has its own files"),
      quotaBytes: unsupported("a directory has no limit of its own"),
      quotaInodes: unsupported("a directory has no limit of its own"),
      maxDepth: 130,
    };
  },

  async create({ dir, parents: [parent] }, options) {
    if (parent !== undefined) {
      await inTurns(new TreeCopy().copy(`${parent}/tree`, `${dir}/tree`), options);
      return;
    }
    mkdirSync(`${dir}/tree`);
    chmodSync(`${dir}/tree`, 0o755); // Whatever the umask.
  },

  layout({ dir, parents: [parent] }) {
    return { format: "plain", dir: `${dir}/tree`, ...(parent !== undefined && { base: `${parent}/tree` }) };
  },

  // The mount is the directory itself.
  mount: async (place) => treeOf(place),
  mountedAt: async (place) => treeOf(place),
  async unmount() {},
  async seal() {},

  destroy: removeTree,
  usage: (place, options) => treeUsage(treeOf(place), options),
};

function treeOf({ dir }: SnapshotPlace): string {
  return `${dir}/tree`;
}
