import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Behaviour } from "../../behaviour.ts";
import { type Crash, isKilledAt, killEverywhere, type Site } from "./kill-everywhere.ts";
import { remains } from "./remains.ts";
import { torn } from "./torn.ts";

// Under the key that the other was made under, which must not come back with the tree of that one.
const inPlaceOfBase: Crash["steps"] = [["commit", "base.key", "base", { replace: true }]];

/** What is found after a process was killed in the middle of something. */
export const crashes: readonly Behaviour[] = [
  kill("open", "opening a root that is not there", { steps: [] }),
  kill("prepare", "prepare", { setUp: base, steps: [["prepare", "a", "base"]] }),
  kill("view", "view", { setUp: base, steps: [["view", "a", "base"]] }),
  kill("commit", "commit", { setUp: active, steps: [["commit", "a", "name"]], durability: "commit" }),
  {
    ...kill("late-parent", "a commit on a parent given late", {
      setUp: async (site) => {
        await base(site);
        await write(site, "a");
      },
      steps: [["sync"], ["commit", "a", "name", { parent: "base", synced: true }]],
      durability: "commit",
    }),
    needs: ["processes", "state on disk", "rebase"],
  },
  kill("replace", "a commit in place of another snapshot", {
    setUp: async (site) => {
      await active(site);
      await write(site, "base.key", undefined, "mended");
      // What a commit makes beside the tree is there before, since there is less afterwards.
      const died = await isKilledAt("commit.record-written", site, { steps: inPlaceOfBase });
      if (!died) await write(site, "base.key", undefined, "mended");
    },
    steps: inPlaceOfBase,
    durability: "commit",
  }),
  kill("labels", "setLabels", {
    setUp: async (site) => {
      await active(site);
      await site.driver.setLabels("base", { color: "red" });
    },
    steps: [["setLabels", "base", { color: "blue" }]],
    durability: "commit",
  }),
  kill("mount", "a mount and its end", {
    setUp: active,
    steps: [
      ["mount", "a"],
      ["closeMount", "a"],
    ],
  }),
  kill("persistent-mount", "a persistent mount", {
    setUp: active,
    steps: [["mount", "a", { persistent: true }]],
  }),
  kill("unmount", "unmount", {
    setUp: async (site) => {
      await active(site);
      await mountPersistently(site, "a");
    },
    steps: [["unmount", "a"]],
  }),
  kill("remove", "remove", { setUp: active, steps: [["remove", "a"]] }),
  kill("cleanup", "cleanup", {
    setUp: async (site) => {
      await active(site);
      await write(site, "b", "base");
      await site.driver.remove("b");
      // Half-made, and a mount that nobody holds any more; a driver that is not on core just makes the one.
      const died = await isKilledAt("prepare.tree-made", site, { steps: [["prepare", "c", "base"]] });
      if (!died) await site.driver.remove("c");
      await isKilledAt("mount.mounted", site, { steps: [["mount", "a"]] });
    },
    steps: [["cleanup"]],
  }),
  ...remains,
  ...torn,
];

function kill(operation: string, inWords: string, crash: Crash): Behaviour {
  return {
    id: `kill-at-each-failpoint-${operation}`,
    title: `a process that is killed in ${inWords} leaves all as it was, or as it is to be`,
    origin: "N",
    needs: ["processes", "state on disk"],
    run: (trial) => killEverywhere(trial, crash),
  };
}

async function write({ driver }: Site, key: string, parent?: string, file = key): Promise<void> {
  const snapshot = await driver.prepare(key, parent);
  await using mount = await snapshot.mount();
  mkdirSync(join(mount.path, "directory"), { recursive: true });
  writeFileSync(join(mount.path, "directory", file), file.repeat(10_000));
}

/** A committed snapshot. */
async function base(site: Site): Promise<void> {
  await write(site, "base.key");
  const snapshot = await site.driver.open("base.key");
  if (snapshot.kind === "active") await snapshot.commit("base");
}

/** A committed snapshot, and an active one on top of it. */
async function active(site: Site): Promise<void> {
  await base(site);
  await write(site, "a", "base");
}

async function mountPersistently({ driver }: Site, key: string): Promise<void> {
  const snapshot = await driver.open(key);
  if (snapshot.kind === "active") await snapshot.mount({ persistent: true });
}
