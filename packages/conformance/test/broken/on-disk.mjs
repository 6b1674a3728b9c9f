// In JavaScript, since child processes run it as it is: a driver that copies trees and mounts them, and broken ones.
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { basename } from "node:path";
import {
  copyTree,
  createDriver,
  failpoint,
  removeTree,
  supported,
  treeUsage,
  unsupported,
} from "@strata/core";
import {
  AT_FDCWD,
  close,
  MNT_DETACH,
  moveMount,
  OPEN_TREE_CLONE,
  openTree,
  statxOrUndefined,
  umount2,
} from "@strata/linux";

const no = unsupported("a snapshot is a plain directory, and a copy of its parent's");
const capabilities = {
  sharesParent: no,
  readonlyViews: no,
  rebase: no,
  ownership: supported("runs as root"),
  xattrs: supported("on the file systems that this is tested on"),
  hardlinksKeptOnWrite: supported("copyTree keeps hardlinks"),
  quotaBytes: no,
  quotaInodes: no,
  maxDepth: 130,
};

const treeOf = (dir) => `${dir}/tree`;
const mountPointOf = (dir) => `${dir}/merged`;

async function makeTree(to, parent, options) {
  if (parent === undefined) mkdirSync(to, { mode: 0o755 });
  else await copyTree(parent, to, options);
  // Core's own points are before and after all this.
  failpoint("broken.tree-copied");
}

/** In each snapshot's directory, `tree` is the whole tree; it is mounted on `merged`. */
const mechanism = {
  name: "on-disk",
  probe: async () => capabilities,
  create: (place, options) =>
    makeTree(treeOf(place.dir), place.parents[0] && treeOf(place.parents[0]), options),
  layout({ dir, parents: [parent] }) {
    return { format: "plain", dir: treeOf(dir), ...(parent !== undefined && { base: treeOf(parent) }) };
  },
  async mount({ dir }) {
    mkdirSync(mountPointOf(dir), { recursive: true });
    const tree = openTree(AT_FDCWD, treeOf(dir), OPEN_TREE_CLONE);
    try {
      moveMount(tree, AT_FDCWD, mountPointOf(dir));
    } finally {
      close(tree);
    }
    return mountPointOf(dir);
  },
  async mountedAt({ dir }) {
    return statxOrUndefined(AT_FDCWD, mountPointOf(dir))?.mountRoot ? mountPointOf(dir) : undefined;
  },
  async unmount({ dir }, force) {
    umount2(mountPointOf(dir), force ? MNT_DETACH : 0);
  },
  seal: async ({ dir }) => void (await removeTree(mountPointOf(dir))),
  destroy: removeTree,
  usage: ({ dir }, options) => treeUsage(treeOf(dir), options),
};

export const whole = (options) => createDriver(mechanism, options);

export function makingElsewhere(options) {
  let elsewhere;
  return createDriver(
    {
      ...mechanism,
      async probe(root) {
        elsewhere = `${root}/elsewhere`;
        mkdirSync(elsewhere, { recursive: true });
        return capabilities;
      },
      async create({ dir, parents: [parent] }, createOptions) {
        const making = `${elsewhere}/${basename(dir)}`;
        try {
          await makeTree(making, parent && treeOf(parent), createOptions);
          renameSync(making, treeOf(dir));
        } finally {
          await removeTree(making);
        }
      },
    },
    options,
  );
}

export function rememberingMounts(options) {
  const mounted = new Set();
  return createDriver(
    {
      ...mechanism,
      async mount(place) {
        const path = await mechanism.mount(place);
        mounted.add(path);
        return path;
      },
      mountedAt: async ({ dir }) => (mounted.has(mountPointOf(dir)) ? mountPointOf(dir) : undefined),
      async unmount(place, force) {
        await mechanism.unmount(place, force);
        mounted.delete(mountPointOf(place.dir));
      },
    },
    options,
  );
}

export function sealingOnce(options) {
  const sealedOf = (dir) => `${dir}/sealed`;
  return createDriver(
    {
      ...mechanism,
      create: ({ dir, parents: [parent] }, createOptions) =>
        makeTree(treeOf(dir), parent && sealedOf(parent), createOptions),
      layout: ({ kind, dir, parents: [parent] }) => ({
        format: "plain",
        dir: kind === "committed" ? sealedOf(dir) : treeOf(dir),
        ...(parent !== undefined && { base: sealedOf(parent) }),
      }),
      async seal(place) {
        await mechanism.seal(place);
        renameSync(treeOf(place.dir), sealedOf(place.dir));
      },
      usage: ({ kind, dir }, callOptions) =>
        treeUsage(kind === "committed" ? sealedOf(dir) : treeOf(dir), callOptions),
    },
    options,
  );
}

export function destroyingOnce(options) {
  return createDriver(
    {
      ...mechanism,
      async destroy(dir, callOptions) {
        if (!existsSync(treeOf(dir))) throw new Error(`there is no tree in ${dir}`);
        await removeTree(treeOf(dir), callOptions);
        failpoint("broken.tree-destroyed");
        return removeTree(dir, callOptions);
      },
    },
    options,
  );
}
