import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { expect, test } from "vitest";
import { writeArchive } from "./support/archive.ts";
import { launcher, type Outcome, run, useScratch } from "./support/strata.ts";

const scratch = useScratch();
const nobody = 65534;
const isRoot = process.geteuid?.() === 0;

/** Load an archive into a new store of an ordinary user. */
async function loadAsOrdinaryUser(name: string, ...options: string[]): Promise<Outcome> {
  const archive = scratch.join(`${name}.tar`);
  writeArchive(archive, { tags: ["t1:latest"], layers: [{ file: "content" }] });
  const root = scratch.join(name);
  mkdirSync(root);
  if (!isRoot)
    return await run(process.execPath, [launcher, "--root", root, "load", "-i", archive, ...options]);
  chmodSync(scratch.join(), 0o755);
  chmodSync(archive, 0o644);
  chownSync(root, nobody, nobody);
  const user = ["--reuid", `${nobody}`, "--regid", `${nobody}`, "--clear-groups"];
  return await run("setpriv", [
    ...user,
    process.execPath,
    launcher,
    "--root",
    root,
    "load",
    "-i",
    archive,
    ...options,
  ]);
}

test("an ordinary user is told that owners are lost", async () => {
  const { code, stdout, stderr } = await loadAsOrdinaryUser("told");
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("Loaded image: t1:latest") });
  expect(stderr).toMatch(/^WARNING: unpacked files lose their owners, .*needs root.*--ignore-chown-errors/m);
});

test("but not when that was asked for", async () => {
  const { code, stderr } = await loadAsOrdinaryUser("asked", "--ignore-chown-errors");
  expect(code).toBe(0);
  expect(stderr).not.toContain("WARNING");
});
