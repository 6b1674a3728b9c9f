import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isStrataError, type StorageDriver } from "@strata/core";
import type { Behaviour } from "../../behaviour.ts";
import type { Trial } from "../../trial.ts";

/** What is written down about a snapshot, damaged. */
export const torn: readonly Behaviour[] = [
  damage("cut-short", "cut short", (file) => truncateSync(file, Math.floor(statSync(file).size / 2))),
  damage("emptied", "emptied", (file) => truncateSync(file, 0)),
  damage("zeroed", "overwritten by zeros", (file) => writeFileSync(file, Buffer.alloc(statSync(file).size))),
];

/** For each file that came with a snapshot, as far as it is not in its tree; whatever the driver keeps there. */
function damage(id: string, inWords: string, spoil: (file: string) => void): Behaviour {
  return {
    id: `torn-metadata-${id}`,
    title: `a snapshot whose record was ${inWords} is named as damaged, can be removed, and harms no other`,
    origin: "N",
    needs: ["state on disk"],
    async run(trial) {
      await trial.commit("base", content("base"));
      await trial.commit("good", content("good"), "base");
      for (const kind of ["active", "committed"] as const) {
        for (let n = 0; ; n += 1) {
          const before = new Set(filesBelow(trial.root));
          await make(trial, kind);
          const { dir } = (await trial.driver.open("torn")).layout();
          const file = filesBelow(trial.root)
            .filter((path) => !before.has(path) && !path.startsWith(`${dir}/`))
            .filter((path) => statSync(path).size > 0)[n];
          if (file !== undefined) spoil(file);
          await examine(trial, file ?? "nothing");
          if (file === undefined) break;
        }
      }
    },
  };
}

async function make(trial: Trial, kind: "active" | "committed"): Promise<void> {
  if (kind === "committed") return trial.commit("torn", content("torn"), "base");
  await trial.edit(await trial.driver.prepare("torn", "base"), content("torn"));
}

async function examine(trial: Trial, file: string): Promise<void> {
  const driver = await trial.reopen();
  const problems = await driver.check();
  const isDamaged = await refuses(driver);
  const isNamed = problems.some(({ subject }) => subject === "torn");
  assert(!isDamaged || isNamed, `${file}: "torn" is Corrupt, and check says ${JSON.stringify(problems)}`);
  assert.deepEqual(
    problems.filter(({ subject }) => subject !== "torn"),
    [],
    `${file}: nothing else is damaged`,
  );

  const listed: string[] = [];
  for await (const { id } of driver.list()) listed.push(id);
  assert.deepEqual(listed.filter((id) => id !== "torn").sort(), ["base", "good"]);
  await trial.look("good", (at) => assert.equal(readFileSync(join(at, "file"), "utf8"), textOf("good")));
  await driver.prepare("another", "base");
  await driver.remove("another");
  await driver.cleanup();

  await driver.remove("torn");
  await driver.cleanup();
  assert.deepEqual(await driver.check(), []);
}

/** Whether the driver says of the snapshot that it is damaged; it may do without the file, too. */
async function refuses(driver: StorageDriver): Promise<boolean> {
  try {
    await driver.stat("torn");
    return false;
  } catch (error) {
    assert(isStrataError(error, "Corrupt"), `expected Corrupt, not ${String(error)}`);
    return true;
  }
}

function content(name: string): (at: string) => void {
  return (at) => writeFileSync(join(at, "file"), textOf(name));
}

function textOf(name: string): string {
  return name.repeat(1000);
}

function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
