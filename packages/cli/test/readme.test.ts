import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { delimiter } from "node:path";
import { expect, it } from "vitest";
import { drivers, launcher, run, useScratch } from "./support/strata.ts";

const scratch = useScratch();
const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const example = /```sh\n(.*?)```/s.exec(readme)?.[1] ?? "";

it.each(drivers)("the example of the README runs under %s", async (driver) => {
  const cwd = scratch.join(driver);
  mkdirSync(`${cwd}/bin`, { recursive: true });
  symlinkSync(launcher, `${cwd}/bin/strata`);
  const env = {
    PATH: [`${cwd}/bin`, process.env["PATH"]].join(delimiter),
    STRATA_ROOT: `${cwd}/root`,
    STRATA_DRIVER: driver,
  };
  const { code, stdout } = await run("bash", ["-euc", example], { cwd, env });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^C \/etc\/motd$/m);
  expect(stdout).toContain("say something else");
  expect((await run("strata", ["images", "-aq"], { env })).stdout).toBe("");
  expect((await run("tar", ["-tf", `${cwd}/hello.tar`])).stdout).toContain("manifest.json");
});
