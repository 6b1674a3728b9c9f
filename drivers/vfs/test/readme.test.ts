import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { asOrdinaryUser, scratch } from "./scratch.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const example = /```js\n(.*?)```/s.exec(readme)?.[1] ?? "";

test("the README has an example of at most 15 lines that runs as it stands", () => {
  expect(example.trimEnd().split("\n").length).toBeLessThanOrEqual(15);
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", example], {
    cwd,
    env: { ...process.env, SNAPSHOTS: scratch() },
  });
  expect(output.toString()).toBe("hello\n");
});

test("and for an ordinary user", async () => {
  expect(await asOrdinaryUser(example.replace("process.env.SNAPSHOTS", "root"))).toBe("hello\n");
});
