import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { Scratch } from "./support/store.ts";

it("has a README whose example runs as it stands", async () => {
  await using scratch = await Scratch.make();
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const example = /```js\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", example], {
    cwd,
    env: { ...process.env, IMAGES: scratch.path },
  });
  expect(output.toString()).toBe("modified etc\nmodified etc/motd\ntrue\n");
});
