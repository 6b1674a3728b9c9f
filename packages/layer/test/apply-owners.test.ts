import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { applyPlain, differences, store, useWorkers } from "./apply-layers.ts";
import { dir, file, gone, xattr } from "./build-layer.ts";
import { describeTree } from "./describe-tree.ts";
import { useScratch } from "./layouts.ts";
import { asRoot } from "./overlay-mount.ts";

const scratch = useScratch();
const workers = useWorkers();

describe("modes and owners", () => {
  asRoot("the umask of the process neither matters nor changes", async () => {
    const before = process.umask(0o077);
    try {
      const { tree } = await applyPlain(workers, scratch, [
        dir("d", { mode: 0o777 }),
        file("d/f", "", { mode: 0o666 }),
      ]);
      expect(describeTree(tree)).toEqual(["d/ 777", 'd/f = "" 666']);
      expect(process.umask()).toBe(0o077);
    } finally {
      process.umask(before);
    }
  });

  asRoot("a default ACL of a directory below is not passed on, and stays", async () => {
    const base = scratch.directory("base");
    execFileSync(
      "bash",
      [
        "-ec",
        "mkdir d; setfattr -n system.posix_acl_default -v 0x0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000500ffffffff d; touch -d @5 d .",
      ],
      { cwd: base },
    );
    const tree = scratch.directory("tree");
    execFileSync("cp", ["-a", `${base}/.`, tree]);
    const path = store(scratch, [file("d/f", "", { mode: 0o640 }), dir("d/e"), gone("nothing")]);
    await workers.apply({ source: { path }, layout: { format: "plain", dir: tree, base } });
    expect(describeTree(tree)).toEqual(["d/ @5", "d/e/", 'd/f = "" 640']);
    const list = execFileSync("getfattr", ["-m-", "-d", "--absolute-names", "-R", tree]).toString();
    expect(list.match(/system\.posix_acl_\w+/g)).toEqual(["system.posix_acl_default"]);
    expect((await differences(base, tree)).map((line) => line.slice(0, 3))).toEqual(["d/e", "d/f"]);
  });

  it("without privileges, owners, devices and privileged attributes are left out, and only these", async () => {
    const program = `
      import { mkdirSync } from "node:fs";
      import { LayerWorkers } from "@strata/layer";
      const [path, dir, ignore] = process.argv.slice(1);
      const ignoreOwnership = ignore === "ignore";
      const workers = new LayerWorkers();
      const layout = { format: "plain", dir };
      try {
        await workers.apply({ source: { path }, layout, ignoreOwnership });
      } catch (error) {
        console.log(error.code, error.message);
      }
      await workers.close();`;
    const layer = [
      dir("closed", { mode: 0, uid: 5 }),
      file("closed/f", "x", { mode: 0, gid: 6 }),
      dir("closed/deep", { mode: 0o100 }),
      file("closed/deep/g", "y", xattr("trusted.t", "no")),
      file("own", "z", { mode: 0o4755, ...xattr("user.k", "v") }),
      { ...file("null"), type: "3", device: [1, 3] as const },
    ];
    const path = store(scratch, layer);
    execFileSync("chmod", ["755", scratch.path]);
    const run = (name: string, mode: string) => {
      const tree = scratch.directory(name);
      const user = process.geteuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
      if (process.geteuid?.() === 0) execFileSync("chown", ["65534:65534", tree]);
      const output = execFileSync(
        process.execPath,
        ["--input-type=module", "--eval", program, path, tree, mode],
        {
          cwd: import.meta.dirname,
          ...user,
        },
      );
      return { tree, output: output.toString() };
    };
    const { tree, output } = run("ignored", "ignore");
    expect(output).toBe("");
    if (process.geteuid?.() === 0) {
      expect(describeTree(tree)).toEqual([
        "closed/ 0 65534:65534",
        "closed/deep/ 100 65534:65534",
        'closed/deep/g = "y" 65534:65534',
        'closed/f = "x" 0 65534:65534',
        'own = "z" 4755 65534:65534',
      ]);
    }
    expect(run("kept", "keep").output).toMatch(/^Unsupported .*"\/closed\/f?/);
    execFileSync("chmod", ["-R", "u+rwx", scratch.path]);
    expect(existsSync(join(tree, "own"))).toBe(true);
  });
});
