import type { Command } from "commander";
import type { StrataCommand } from "./command.ts";
import type { Context } from "./context.ts";

/** A file of `commands/`: gives its command arguments, options, help and action. */
export interface CommandModule {
  readonly define: (command: StrataCommand, context: Context) => Command;
}

/** A command of which no more is loaded than the help of the whole program needs. */
export interface Leaf {
  readonly summary: string;
  readonly aliases?: readonly string[];
  /** What its arguments are, for completion. */
  readonly completes?:
    | "image"
    | "container"
    | "image or container"
    | "repository"
    | "registry"
    | "file"
    | "shell"
    | "workload";
  /** Its `--json` may be followed by a file. */
  readonly jsonFile?: boolean;
  readonly load: () => Promise<CommandModule>;
  /** Commands under it, beside what it does itself: `strata bench compare`. */
  readonly commands?: Readonly<Record<string, Leaf>>;
}

/** Commands under a common word: `strata image ls`. */
export interface Group {
  readonly summary: string;
  readonly commands: Readonly<Record<string, Leaf>>;
}

export type Catalogue = Readonly<Record<string, Leaf | Group>>;

const pull: Leaf = {
  summary: "Pull an image from a registry",
  completes: "image",
  load: () => import("./commands/pull.ts"),
};
const push: Leaf = {
  summary: "Push an image to a registry",
  completes: "image",
  load: () => import("./commands/push.ts"),
};
const images: Leaf = {
  summary: "List images",
  completes: "image",
  load: () => import("./commands/images.ts"),
};
const history: Leaf = {
  summary: "Show the history of an image",
  completes: "image",
  load: () => import("./commands/history.ts"),
};
const tag: Leaf = {
  summary: "Give an image another name",
  completes: "image",
  load: () => import("./commands/tag.ts"),
};
const rmi: Leaf = {
  summary: "Remove one or more images",
  completes: "image",
  load: () => import("./commands/rmi.ts"),
};
const load: Leaf = {
  summary: "Load images from an archive or an OCI layout",
  completes: "file",
  load: () => import("./commands/load.ts"),
};
const importImage: Leaf = {
  summary: "Make an image from the tar or directory of a root file system",
  completes: "file",
  load: () => import("./commands/import.ts"),
};
const save: Leaf = {
  summary: "Save one or more images to a tar archive",
  completes: "image",
  load: () => import("./commands/save.ts"),
};
const inspect: Leaf = {
  summary: "Show details of images and containers",
  completes: "image or container",
  load: () => import("./commands/inspect.ts"),
};
const create: Leaf = {
  summary: "Create a container: a writable layer over an image",
  completes: "image",
  load: () => import("./commands/create.ts"),
};
const ps: Leaf = {
  summary: "List containers",
  load: () => import("./commands/ps.ts"),
};
const mount: Leaf = {
  summary: "Mount a container's file system and print its path",
  completes: "container",
  load: () => import("./commands/mount.ts"),
};
const umount: Leaf = {
  summary: "Unmount containers' file systems",
  aliases: ["unmount"],
  completes: "container",
  load: () => import("./commands/umount.ts"),
};
const diff: Leaf = {
  summary: "List what a container changed in its file system",
  completes: "container",
  load: () => import("./commands/diff.ts"),
};
const commit: Leaf = {
  summary: "Make an image from a container's changes",
  completes: "container",
  load: () => import("./commands/commit.ts"),
};
const rm: Leaf = {
  summary: "Remove one or more containers",
  completes: "container",
  load: () => import("./commands/rm.ts"),
};
const exportContainer: Leaf = {
  summary: "Export a container's file system as a tar archive",
  completes: "container",
  load: () => import("./commands/export.ts"),
};
const login: Leaf = {
  summary: "Log in to a registry",
  completes: "registry",
  load: () => import("./commands/login.ts"),
};
const logout: Leaf = {
  summary: "Log out of a registry",
  completes: "registry",
  load: () => import("./commands/logout.ts"),
};
const search: Leaf = {
  summary: "Search a registry for images",
  load: () => import("./commands/search.ts"),
};
const tags: Leaf = {
  summary: "List the tags of a repository in a registry",
  completes: "repository",
  load: () => import("./commands/tags.ts"),
};
const serve: Leaf = {
  summary: "Serve the local images as a registry",
  load: () => import("./commands/serve.ts"),
};
const df: Leaf = {
  summary: "Show disk usage",
  load: () => import("./commands/df.ts"),
};
const info: Leaf = {
  summary: "Show the store, the host and its storage drivers",
  load: () => import("./commands/info.ts"),
};
const check: Leaf = {
  summary: "Look for damage, and repair it",
  load: () => import("./commands/check.ts"),
};
const gc: Leaf = {
  summary: "Give back disk space that nothing owns",
  load: () => import("./commands/gc.ts"),
};
const conformance: Leaf = {
  summary: "Hold a storage driver to the conformance suite on this host",
  load: () => import("./commands/conformance.ts"),
};
const bench: Leaf = {
  summary: "Measure storage drivers, and the tools beside them, on this host",
  completes: "workload",
  jsonFile: true,
  load: () => import("./commands/bench.ts"),
  commands: {
    compare: {
      summary: "Put two results side by side, and say what differs",
      completes: "file",
      load: () => import("./commands/bench-compare.ts"),
    },
    report: {
      summary: "Show results again, as a table or a page",
      completes: "file",
      load: () => import("./commands/bench-report.ts"),
    },
  },
};

/** All commands, in the order of the help. */
export const catalogue: Catalogue = {
  pull,
  push,
  load,
  import: importImage,
  images,
  inspect,
  history,
  tag,
  rmi,
  save,
  create,
  ps,
  mount,
  umount,
  diff,
  commit,
  rm,
  export: exportContainer,
  login,
  logout,
  search,
  tags,
  serve,
  df,
  check,
  gc,
  info,
  conformance,
  bench,
  version: { summary: "Show the version", load: () => import("./commands/version.ts") },
  completion: {
    summary: "Print a completion script for a shell",
    completes: "shell",
    load: () => import("./commands/completion.ts"),
  },
  image: {
    summary: "Manage images",
    commands: {
      ls: { ...images, aliases: ["list"] },
      inspect: { ...inspect, completes: "image" },
      history,
      tag,
      rm: { ...rmi, aliases: ["remove"] },
      pull,
      push,
      load,
      import: importImage,
      save,
    },
  },
  container: {
    summary: "Manage containers",
    commands: {
      create,
      ls: { ...ps, aliases: ["list", "ps"] },
      inspect: { ...inspect, completes: "container" },
      mount,
      umount,
      diff,
      commit,
      rm: { ...rm, aliases: ["remove"] },
      export: exportContainer,
    },
  },
  system: {
    summary: "Manage the store",
    commands: { df, info, check, gc },
  },
  __complete: {
    summary: "Print how a command line can go on",
    load: () => import("./commands/complete.ts"),
  },
};
