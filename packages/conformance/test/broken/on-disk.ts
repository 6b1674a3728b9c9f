import type { DriverModule, DriverUnderTest } from "@strata/conformance";
import type { BrokenDriver } from "./broken-driver.ts";
import { destroyingOnce, makingElsewhere, rememberingMounts, sealingOnce, whole } from "./on-disk.mjs";

/** The driver on disk that other processes can open too, as it is held to the suite. */
export const onDisk: DriverUnderTest = {
  name: "on-disk",
  create: whole,
  requires: ["root"],
  supports: {
    sharesParent: false,
    readonlyViews: false,
    rebase: false,
    ownership: true,
    xattrs: true,
    hardlinksKeptOnWrite: true,
    quotaBytes: false,
    quotaInodes: false,
    maxDepth: 130,
  },
};

/** Drivers that are wrong when a process is killed, or others have the same root open. */
export const inProcesses: readonly BrokenDriver[] = [
  {
    flaw: "is whole: what the next is compared with",
    create: whole,
    module: exported("whole"),
    fails: [],
  },
  {
    flaw: "leaves a half-made tree where cleanup does not look, when it is killed",
    create: makingElsewhere,
    module: exported("makingElsewhere"),
    fails: ["kill-at-each-failpoint-prepare", "kill-at-each-failpoint-view"],
  },
  {
    flaw: "keeps in a variable what is mounted, of which other processes know nothing",
    create: rememberingMounts,
    module: exported("rememberingMounts"),
    fails: [
      "busy-by-another-process",
      "cleanup-spares-living-mounts",
      "kill-at-each-failpoint-cleanup",
      "kill-at-each-failpoint-mount",
      "kill-at-each-failpoint-persistent-mount",
      "kill-at-each-failpoint-unmount",
      "mount-survives-another-process",
      "mounts-counted-across-processes",
      "persistent-mount-outlives-process",
      "stale-lease-after-kill-cleanup",
      "stale-lease-after-kill-commit",
      "stale-lease-after-kill-mount",
      "stale-lease-after-kill-remove",
      "stale-lease-in-use",
    ],
  },
  {
    flaw: "cannot go on with a snapshot whose commit was killed after it was sealed",
    create: sealingOnce,
    module: exported("sealingOnce"),
    fails: ["kill-at-each-failpoint-commit", "kill-at-each-failpoint-replace"],
  },
  {
    flaw: "cannot go on with a removal that was killed in its middle, nor remove what was only begun",
    create: destroyingOnce,
    module: exported("destroyingOnce"),
    fails: [
      "kill-at-each-failpoint-cleanup",
      "kill-at-each-failpoint-prepare",
      "kill-at-each-failpoint-view",
    ],
  },
];

/** What other processes import. */
function exported(factory: string): DriverModule {
  return { url: new URL("on-disk.mjs", import.meta.url).href, factory };
}
