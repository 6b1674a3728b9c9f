import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Scratch } from "@strata/conformance/suite";
import { expect, it } from "vitest";

it("has an example that runs as it stands", async () => {
  await using scratch = new Scratch();
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const example = /```js\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", example], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { ...process.env, ROOT: scratch.path },
  });
  expect(output.toString()).toBe("{ repositories: [] }\n");
});
