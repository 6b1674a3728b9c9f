import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { describeAsRoot, useScratch } from "./support.ts";

const scratch = useScratch();

describeAsRoot("the README", () => {
  it("has an example of at most 15 lines that runs as it stands", () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const example = /```js\n(.*?)```/s.exec(readme)?.[1] ?? "";
    expect(example.trimEnd().split("\n").length).toBeLessThanOrEqual(15);
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", example], {
      cwd,
      env: { ...process.env, SNAPSHOTS: join(scratch.path, "root") },
    });
    expect(output.toString()).toBe("hello\nEROFS\n");
  });
});
