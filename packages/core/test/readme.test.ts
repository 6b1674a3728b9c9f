import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { scratch } from "./scratch.ts";

test("the README has an example that runs as it stands", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const example = /```js\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", example], {
    cwd,
    env: { ...process.env, SNAPSHOTS: scratch() },
  });
  expect(output.toString().split("\n")).toEqual([
    "hello",
    'FailedPrecondition snapshot "base" is the parent of "child"; remove its children first',
    "2",
    "",
  ]);
});
