import assert from "node:assert/strict";
import { readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { mountsBelow } from "../../host/scratch.ts";
import { openActive } from "../../snapshots.ts";
import { listChanges } from "../../trees/diffs.ts";

/** Roots and chains that would not fit into the options of mount(2). */
export const paths: readonly Behaviour[] = [
  rooted("colons", "colons, commas and spaces", "a:b,c d=e"),
  rooted("odd-bytes", "backslashes, line ends and letters beyond ASCII", "ünï-\\backslash\nnewline\t#名\"'"),
  rooted("long", "some 1500 bytes", "long-name/".repeat(150)),
  {
    id: "long-options-deep-chain",
    title: "a chain of 30 layers below a long root is mounted, and changed",
    origin: "A",
    async run(trial) {
      const driver = await trial.reopen({ root: trial.path("long-name/".repeat(20), "root") });
      let parent: string | undefined;
      for (let n = 1; n <= 30; n++) {
        const active = await driver.prepare("key", parent);
        if (n % 10 === 0) await trial.edit(active, (at) => writeFileSync(`${at}/of-${n}`, `${n}`));
        await active.commit(`${n}`);
        parent = `${n}`;
      }
      const active = await driver.prepare("top", parent);
      await trial.edit(active, (at) => {
        assert.deepEqual(readdirSync(at).sort(), ["of-10", "of-20", "of-30"]);
        writeFileSync(`${at}/of-10`, "changed");
      });
      assert((await listChanges(active.layout())).includes("C of-10"));
    },
  },
  {
    id: "volatile-remount",
    title: "what was mounted by a driver that is not durable is mounted again, and then by one that is",
    origin: "S",
    needs: ["state on disk"],
    async run(trial) {
      const active = await trial.driver.prepare("key");
      for (const name of ["first", "second"]) {
        await trial.edit(active, (at) => writeFileSync(`${at}/${name}`, name));
      }
      await trial.driver.close();
      const durable = await trial.reopen({ durability: "commit" });
      const again = await openActive(durable, "key");
      await trial.edit(again, (at) => {
        assert.deepEqual(readdirSync(at).sort(), ["first", "second"]);
        assert.equal(readFileSync(`${at}/second`, "utf8"), "second");
        writeFileSync(`${at}/third`, "third");
      });
      await again.commit("name");
      const view = await durable.view("view", "name");
      await using mount = await view.mount();
      assert.deepEqual(readdirSync(mount.path).sort(), ["first", "second", "third"]);
    },
  },
  {
    id: "mount-without-trace",
    title: "mounting a snapshot and closing it again changes nothing in its layer",
    origin: "N",
    async run(trial) {
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      const active = await trial.driver.prepare("key", "base");
      for (let n = 0; n < 3; n++) await trial.edit(active, (at) => void readFileSync(`${at}/file`));
      assert.deepEqual(await listChanges(active.layout()), []);
    },
  },
  {
    id: "layout-absolute",
    title: "a layout's paths are absolute and there, before and after the commit, whether mounted or not",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      const active = await driver.prepare("key", "base");
      const exist = async (id: string) => {
        const layout = (await driver.open(id)).layout();
        const below = layout.format === "overlay" ? layout.lowers : [layout.base ?? layout.dir];
        for (const path of [layout.dir, ...below]) {
          assert(isAbsolute(path), path);
          assert.equal(realpathSync(path), path);
        }
      };
      await exist("base");
      await exist("key");
      {
        await using _mount = await active.mount();
        await exist("key");
      }
      await active.commit("name");
      await exist("name");
      await driver.view("view", "name");
      await exist("view");
    },
  },
];

/** That a driver works below a directory of this name. */
function rooted(id: string, what: string, name: string): Behaviour {
  return {
    id: `long-options-${id}`,
    title: `the path of the root may have ${what}`,
    origin: "A",
    async run(trial) {
      const root = trial.path(name, "root");
      const driver = await trial.reopen({ root });
      for (const [n, parent] of [undefined, "0", "1"].entries()) {
        const active = await driver.prepare("key", parent);
        await trial.edit(active, (at) => writeFileSync(`${at}/of-${n}`, `${n}`));
        await rejects(driver.prepare("key"), "AlreadyExists");
        await active.commit(`${n}`);
      }
      const view = await driver.view("view", "2");
      const mount = await view.mount();
      assert.deepEqual(readdirSync(mount.path), ["of-0", "of-1", "of-2"]);
      assert.equal(await view.mountedAt(), mount.path);
      await mount.close();
      assert.deepEqual(mountsBelow(realpathSync(root)).map(String), []);
      assert((await listChanges((await driver.open("2")).layout())).includes("A of-2"));
      await driver.remove("view");
      for (const name of ["2", "1", "0"]) await driver.remove(name);
      assert.equal((await driver.cleanup()).removed, 4);
    },
  };
}
