import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { parseReference } from "@strata/store";
import { expect, it } from "vitest";
import { DockerRegistry } from "./support/docker-registry.ts";
import { pushSample } from "./support/sample.ts";
import { User } from "./support/user.ts";

describeWith("the README", ["docker-registry"], () => {
  it("has an example that runs as it stands", async () => {
    await using scratch = new Scratch();
    const user = new User(scratch);
    await using server = await DockerRegistry.start();
    await using registries = await user.open();
    const image = `${server.directHost}/app:1`;
    await pushSample(registries.repository(parseReference(image)), "1");

    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const example = /```js\n(.*?)```/s.exec(readme)?.[1] ?? "";
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", example], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { ...user.env, IMAGE: image },
    });
    expect(output.toString().split("\n").sort()).toEqual(["", "1", "copy", "true", "true"]);
  });
});
