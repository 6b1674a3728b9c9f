import assert from "node:assert/strict";
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Trial } from "../trial.ts";

/** A directory beside the driver's root, with `file`, `dir/` and `dir/file` in it, that nothing may touch. */
export class Victim {
  readonly path: string;
  readonly #beside: string;
  readonly #before: readonly string[];

  /** @param names - of further directories in it */
  constructor(trial: Trial, names: readonly string[] = []) {
    this.#beside = trial.path();
    this.path = trial.directory("victim");
    for (const name of ["dir", ...names]) mkdirSync(`${this.path}/${name}`);
    writeFileSync(`${this.path}/file`, "precious", { mode: 0o644 });
    writeFileSync(`${this.path}/dir/file`, "precious too");
    this.#before = this.#look();
  }

  /** That it is as it was, to the last change time, and that nothing new lies beside it. */
  assertUntouched(): void {
    assert.deepEqual(this.#look(), this.#before, "something outside of the root was touched");
  }

  #look(): string[] {
    const inside = readdirSync(this.path, { recursive: true, encoding: "utf8" }).sort();
    return [...readdirSync(this.#beside).sort(), ...["", ...inside].map((name) => this.#describe(name))];
  }

  #describe(name: string): string {
    const path = `${this.path}/${name}`;
    const { mode, uid, gid, mtimeNs, ctimeNs, nlink } = lstatSync(path, { bigint: true });
    const content = (mode & 0o170000n) === 0o100000n ? readFileSync(path, "latin1") : "";
    return `victim/${name} ${[mode.toString(8), uid, gid, mtimeNs, ctimeNs, nlink].join(" ")} ${content}`;
  }
}
