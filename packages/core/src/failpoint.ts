import { appendFileSync } from "node:fs";

/**
 * The points of core where a crash leaves something behind: what has just happened there. In the order in which they
 * are come to.
 */
export const failpoints = [
  "open.root-made",
  "open.directories-made",
  "open.owner-written",
  "prepare.directory-made",
  "prepare.record-written",
  "prepare.parent-marked",
  "prepare.tree-made",
  "prepare.key-set",
  "commit.sealed",
  "commit.children-made",
  "commit.record-written",
  "commit.parent-marked",
  "commit.durable",
  "commit.renamed",
  "replace.marked",
  "replace.disowned",
  "replace.renamed",
  "replace.key-removed",
  "mount.claimed",
  "mount.mounted",
  "mount.persistent-claimed",
  "mount.claim-dropped",
  "unmount.unmounted",
  "unmount.claim-dropped",
  "remove.pointer-removed",
  "trash.parent-unmarked",
  "trash.moved",
  "cleanup.mounts-released",
  "cleanup.garbage-trashed",
  "cleanup.snapshot-destroyed",
  "tree.entry-removed",
  "file.temporary-made",
  "file.temporary-written",
  "file.renamed",
] as const;

type Failpoint = (typeof failpoints)[number];

const setting = process.env["STRATA_FAILPOINT"] || undefined;
const [armed, times = "1"] = setting?.split(":") ?? [];
let timesLeft = Number(times);

/**
 * A point where tests let the process die. It does nothing, unless the environment has `STRATA_FAILPOINT`:
 *
 * - `<name>` or `<name>:<n>`: the process kills itself by SIGKILL when it comes there for the n-th time, or the first.
 * - `><file>`: the name of each point that the process comes to is appended to the file, a line each.
 *
 * The environment is read once. Cost otherwise: one comparison.
 * @typeParam Name - the names of a package that has points of its own
 */
export function failpoint<Name extends string = Failpoint>(name: NoInfer<Name>): void {
  if (setting === undefined) return;
  if (setting.startsWith(">")) appendFileSync(setting.slice(1), `${name}\n`);
  else if (name === armed && --timesLeft === 0) process.kill(process.pid, "SIGKILL");
}
