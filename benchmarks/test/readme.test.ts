import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { missingFacilities } from "@strata/benchmarks";
import { expect, it } from "vitest";

const missing = missingFacilities(["root", "buildah", "skopeo"]);

it.skipIf(missing.length > 0 && !process.env["CI"])(
  `has a README whose example runs (needs ${missing.join(", ") || "nothing more"})`,
  () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const example = /```js\n(.*?)```/s.exec(readme)?.[1] ?? "";
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", example], { cwd });
    expect(output.toString()).toBe("built\n");
  },
);
