import assert from "node:assert/strict";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { AT_FDCWD, linkat } from "@strata/linux";
import type { Behaviour } from "../../behaviour.ts";
import { Twin } from "../../trees/twin.ts";
import type { Trial } from "../../trial.ts";

/** A parent with a file that has three names in two directories. */
async function linkedParent(trial: Trial): Promise<Twin> {
  const twin = new Twin(trial);
  await twin.layer((at) => {
    mkdirSync(`${at}/dir`);
    writeFileSync(`${at}/one`, "below");
    for (const name of ["two", "dir/three"]) linkSync(`${at}/one`, `${at}/${name}`);
  });
  return twin;
}

/** Files that have several names. */
export const hardlinks: readonly Behaviour[] = [
  {
    id: "hardlink-unmodified",
    title: "names of one file in the parent are names of one file in the child",
    origin: "A",
    async run(trial) {
      const twin = await linkedParent(trial);
      await twin.layer((at) => {
        assert.equal(lstatSync(`${at}/one`).ino, lstatSync(`${at}/dir/three`).ino);
        writeFileSync(`${at}/other`, "above");
      });
    },
  },
  {
    id: "hardlink-before-modified",
    title: "a file of the parent that gets another name and is then changed is changed under both",
    origin: "A",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => writeFileSync(`${at}/one`, "below"));
      await twin.layer((at) => {
        linkSync(`${at}/one`, `${at}/two`);
        writeFileSync(`${at}/two`, "above");
        assert.equal(readFileSync(`${at}/one`, "utf8"), "above");
      });
    },
  },
  {
    id: "hardlink-modified",
    title: "a file of the parent that is changed under one of its names is changed under all",
    origin: "A",
    needs: ["hardlinksKeptOnWrite"],
    async run(trial) {
      const twin = await linkedParent(trial);
      await twin.layer((at) => {
        writeFileSync(`${at}/two`, "above");
        chmodSync(`${at}/dir/three`, 0o600);
      });
    },
  },
  {
    id: "hardlink-modified-alone",
    title: "a file of the parent that is changed under one of its names is as before under the others",
    origin: "A",
    needs: ["no hardlinksKeptOnWrite"],
    async run(trial) {
      const { driver } = trial;
      const twin = await linkedParent(trial);
      const active = await driver.prepare("active", twin.top);
      await trial.edit(active, (at) => writeFileSync(`${at}/two`, "above"));
      await active.commit("changed");
      await trial.look("changed", (at) => {
        assert.equal(readFileSync(`${at}/two`, "utf8"), "above");
        for (const name of ["one", "dir/three"]) assert.equal(readFileSync(`${at}/${name}`, "utf8"), "below");
      });
      if (twin.top !== undefined) await twin.matches(twin.top);
    },
  },
  {
    id: "hardlink-across-layers",
    title: "a name given in the child to a file of the parent is a name of the same file in its own children",
    origin: "C",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        mkdirSync(`${at}/dir`);
        writeFileSync(`${at}/one`, "below");
      });
      await twin.layer((at) => linkSync(`${at}/one`, `${at}/dir/two`));
      await twin.layer((at) => {
        assert.equal(lstatSync(`${at}/one`).ino, lstatSync(`${at}/dir/two`).ino);
        writeFileSync(`${at}/other`, "above");
      });
    },
  },
  {
    id: "hardlink-name-removed",
    title: "a file whose one name was removed or replaced stays under its others",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        for (const name of ["removed", "replaced"]) {
          writeFileSync(`${at}/${name}`, name);
          linkSync(`${at}/${name}`, `${at}/${name}.other`);
        }
      });
      await twin.layer((at) => {
        rmSync(`${at}/removed`);
        rmSync(`${at}/replaced`);
        writeFileSync(`${at}/replaced`, "above");
      });
    },
  },
  {
    id: "hardlink-rename-onto-itself",
    title: "a name renamed to another name of the same file stays, as rename(2) has it",
    origin: "N",
    needs: ["hardlinksKeptOnWrite"],
    async run(trial) {
      const twin = await linkedParent(trial);
      await twin.layer((at) => renameSync(`${at}/one`, `${at}/two`));
    },
  },
  {
    id: "hardlink-to-symlink",
    title: "a symlink and a new one can have several names, and none of them is what it points to",
    origin: "U",
    async run(trial) {
      const twin = new Twin(trial);
      const link = (from: string, to: string) => linkat(AT_FDCWD, from, AT_FDCWD, to);
      await twin.layer((at) => {
        writeFileSync(`${at}/target`, "below");
        symlinkSync("target", `${at}/one`);
        link(`${at}/one`, `${at}/two`);
        symlinkSync("target", `${at}/single`);
      });
      await twin.layer((at) => {
        link(`${at}/single`, `${at}/double`);
        symlinkSync("target", `${at}/new`);
        link(`${at}/new`, `${at}/newer`);
      });
    },
  },
];
