import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { AT_FDCWD, mknodat, S_IFIFO, utimensat } from "@strata/linux";
import type { Behaviour } from "../../behaviour.ts";
import { settleTimes } from "../../trees/settle-times.ts";
import { Twin } from "../../trees/twin.ts";

/** A tree with some of everything; each name says what {@link mistreat} does to it. */
function fill(at: string): void {
  for (const name of ["appended", "cut", "overwritten", "closed", "old", "deleted"])
    writeFileSync(`${at}/${name}`, `content of ${name}`);
  linkSync(`${at}/overwritten`, `${at}/second-name`);
  mkdirSync(`${at}/dir/sub`, { recursive: true });
  for (const name of ["dir/file", "dir/sub/file"]) writeFileSync(`${at}/${name}`, "below");
  mkdirSync(`${at}/emptied`);
  writeFileSync(`${at}/emptied/file`, "below");
  symlinkSync("dir", `${at}/link`);
  mknodat(AT_FDCWD, `${at}/fifo`, S_IFIFO | 0o600, { major: 0, minor: 0 });
}

function mistreat(at: string): void {
  appendFileSync(`${at}/appended`, "!");
  truncateSync(`${at}/cut`, 3);
  writeFileSync(`${at}/overwritten`, "OVERWRITTEN");
  writeFileSync(`${at}/second-name`, "as well");
  chmodSync(`${at}/closed`, 0);
  utimensat(AT_FDCWD, `${at}/old`, { sec: 1, nsec: 1 });
  for (const name of ["deleted", "emptied/file", "link"]) rmSync(`${at}/${name}`);
  chmodSync(`${at}/fifo`, 0o666);
  writeFileSync(`${at}/dir/sub/file`, "above");
  rmSync(`${at}/dir/file`);
  mkdirSync(`${at}/dir/file`);
  chmodSync(`${at}/dir`, 0o700);
  chmodSync(at, 0o711);
}

/** What is done to one snapshot shows in no other. */
export const isolation: readonly Behaviour[] = [
  {
    id: "parent-never-changes",
    title: "whatever a child does, its parent and its parent's parent stay what they were",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      const twin = new Twin(trial);
      const grandparent = await twin.layer(fill);
      const before = twin.copy("before");
      const parent = await twin.layer((at) => writeFileSync(`${at}/new`, "of the parent"));
      for (const then of ["commit", "remove"]) {
        const child = await driver.prepare("child", parent);
        await trial.edit(child, (at) => {
          mistreat(at);
          writeFileSync(`${at}/new`, "of the child");
        });
        await twin.matches(parent);
        await twin.matches(grandparent, before);
        if (then === "commit") {
          await child.commit("changed");
          await driver.remove("changed");
        } else await driver.remove("child");
        await driver.cleanup();
        await twin.matches(parent);
        await twin.matches(grandparent, before);
      }
    },
  },
  {
    id: "siblings-apart",
    title: "children of one parent that are written at the same time do not see one another",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      const twin = new Twin(trial);
      const parent = await twin.layer(fill);
      const [one, two, untouched] = [
        await driver.prepare("one", parent),
        await driver.prepare("two", parent),
        await driver.prepare("untouched", parent),
      ];
      await using at = await one.mount();
      await using beside = await two.mount();
      mistreat(at.path);
      writeFileSync(`${beside.path}/overwritten`, "differently");
      writeFileSync(`${at.path}/new`, "one");
      assert.equal(readFileSync(`${at.path}/appended`, "utf8"), "content of appended!");
      assert.equal(readFileSync(`${beside.path}/overwritten`, "utf8"), "differently");
      assert.equal(readFileSync(`${beside.path}/appended`, "utf8"), "content of appended");
      assert(!readdirSync(beside.path).includes("new"));
      await twin.matches(untouched.id);
    },
  },
  {
    id: "view-apart",
    title: "a view that is mounted shows its parent while the parent's children change",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      const twin = new Twin(trial);
      const parent = await twin.layer(fill);
      const view = await driver.view("view", parent);
      await using mount = await view.mount();
      const file = lstatSync(`${mount.path}/overwritten`);
      const child = await driver.prepare("child", parent);
      await trial.edit(child, mistreat);
      await child.commit("changed");
      await twin.matches("view");
      assert.equal(lstatSync(`${mount.path}/overwritten`).ctimeMs, file.ctimeMs);
    },
  },
  {
    id: "edits-in-several-mounts",
    title: "what was written in one mount of an active snapshot is there in the next, deletions too",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      const twin = new Twin(trial);
      await twin.layer(fill);
      const active = await driver.prepare("active", twin.top);
      const steps = [
        (at: string) => rmSync(`${at}/dir`, { recursive: true }),
        (at: string) => mkdirSync(`${at}/dir`, { mode: 0o711 }),
        (at: string) => writeFileSync(`${at}/dir/new`, "above"),
        (at: string) => appendFileSync(`${at}/appended`, "!"),
        (at: string) => rmSync(`${at}/dir/new`),
      ];
      for (const [n, step] of steps.entries()) {
        await trial.edit(active, (at) => {
          for (const tree of [at, twin.plain]) {
            step(tree);
            settleTimes(tree, n, 0);
          }
        });
        await twin.matches("active");
      }
      await active.commit("written");
      await twin.matches("written");
    },
  },
];
