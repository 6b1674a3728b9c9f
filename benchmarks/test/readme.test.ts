import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { missingFacilities, Scratch } from "@strata/conformance/suite";
import { expect, it } from "vitest";

const missing = missingFacilities(["root", "buildah", "skopeo"]);
const title = (what: string) =>
  missing.length === 0 ? what : `${what} (missing here: ${missing.join(", ")})`;
const itIfPossible = it.skipIf(missing.length > 0 && !process.env["CI"]);

itIfPossible(title("the package's README has an example that runs"), () => {
  expect(runExample("../README.md")).toBe("built\n");
});

itIfPossible(title("the README of the whole has an example that runs"), async () => {
  await using scratch = new Scratch();
  const output = runExample("../../README.md", (example) =>
    example.replace("/var/lib/my-tool", scratch.path),
  );
  expect(output).toContain(scratch.path);
});

/** Run the first example of a README. @returns what it printed */
function runExample(readme: string, change = (example: string) => example): string {
  const text = readFileSync(new URL(readme, import.meta.url), "utf8");
  const example = change(/```js\n(.*?)```/s.exec(text)?.[1] ?? "");
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  return execFileSync(process.execPath, ["--input-type=module", "--eval", example], {
    cwd,
    encoding: "utf8",
  });
}
