import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { describeOnBtrfs } from "./btrfs-on-loop.ts";

describeOnBtrfs("the README", (disk) => {
  it("has an example of at most 15 lines that runs as it stands", () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const example = /```js\n(.*?)```/s.exec(readme)?.[1] ?? "";
    expect(example.trimEnd().split("\n").length).toBeLessThanOrEqual(15);
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", example], {
      cwd,
      env: { ...process.env, SNAPSHOTS: disk.scratch() },
    });
    expect(output.toString()).toBe("hello\nEROFS\n");
  });
});
