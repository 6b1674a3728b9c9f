import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { writeArchive } from "./support/archive.ts";
import { Serving } from "./support/serving.ts";
import { Strata, useScratch, useStrata } from "./support/strata.ts";

/*
 * What is typed often must start fast. How fast is measured by the benchmarks; here it is made sure that nothing is
 * loaded that is not needed.
 */

const scratch = useScratch();
const store = useStrata(scratch, "vfs");
let strata: Strata;

beforeAll(async () => {
  strata = store.strata;
  const archive = scratch.join("a.tar");
  writeArchive(archive, { tags: ["a:1"], layers: [{ a: "1" }] });
  await strata.ok("load", "-qi", archive);
});

/** The modules that a command loads, by the coverage that Node writes. */
async function modulesOf(...args: string[]): Promise<string[]> {
  return await modulesIn(strata, ...args);
}

async function modulesIn(strata: Strata, ...args: string[]): Promise<string[]> {
  const dir = mkdtempSync(scratch.join("coverage-"));
  const { code } = await strata.run(args, { env: { NODE_V8_COVERAGE: dir } });
  expect(code).toBe(0);
  return readdirSync(dir).flatMap((name) => {
    const { result }: { result: { url: string }[] } = JSON.parse(readFileSync(`${dir}/${name}`, "utf8"));
    return result.map(({ url }) => url);
  });
}

it.each([
  ["images"],
  ["images", "--digests", "--filter", "dangling=false"],
  ["--help"],
  ["help", "load"],
  ["version"],
  ["bench", "--help"],
  ["completion", "bash"],
  ["__complete", "--", "history", ""],
  ["__complete", "--", "mount", ""],
])(
  "%j loads neither native code, nor validation, nor layers, nor a driver, nor the benchmarks",
  async (...args) => {
    const modules = await modulesOf(...args);
    expect(modules.some((url) => url.includes("/cli/dist/main.js"))).toBe(true);
    const heavy = modules.filter((url) =>
      /\/koffi\/|\/zod\/|\/packages\/layer\/|\/drivers\/|\/benchmarks\//.test(url),
    );
    expect(heavy).toEqual([]);
  },
);

it("a command that unpacks loads them: the check above can fail", async () => {
  const modules = [
    ...(await modulesOf("load", "-q", "-i", scratch.join("a.tar"))),
    ...(await modulesOf("__complete", "--", "bench", "")),
  ];
  for (const part of ["/koffi/", "/zod/", "/drivers/", "/benchmarks/"])
    expect(
      modules.some((url) => url.includes(part)),
      part,
    ).toBe(true);
});

it("a pull of what is current loads none of these, nor undici, nor what moves blobs or finds credentials", async () => {
  await using registry = await Serving.start(strata);
  const name = `${registry.host}/library/a:1`;
  const other = new Strata(scratch.join("pulled"), "vfs");
  const heavy = [
    /\/(?:koffi|zod|undici|drivers|benchmarks|packages\/layer)\//,
    /\/(?:linux\/dist\/index|store\/dist\/ingest\/ingest-images|core\/dist\/create-driver)\.js$/,
    /\/registry\/dist\/(?:api\/(?:blobs|uploads)|transfer\/push|credentials\/helper|http\/authorities)\.js$/,
    /^node:(?:https|http2)$/,
  ];
  const heavyIn = (urls: string[]) => urls.filter((url) => heavy.some((form) => form.test(url)));
  expect(heavyIn(await modulesIn(other, "pull", name))).not.toEqual([]);
  const modules = await modulesIn(other, "pull", name);
  expect(modules.some((url) => url.includes("/registry/dist/transfer/pull.js"))).toBe(true);
  expect(heavyIn(modules)).toEqual([]);
});
