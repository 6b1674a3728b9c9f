import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { resultsSchema } from "../src/results/schema.ts";
import { schemaPage } from "../src/results/schema-page.ts";
import { madeResults } from "./support/made-results.ts";

it("docs/bench-results.md is what the schema says (npm run docs:bench writes it anew)", async () => {
  await expect(schemaPage()).toMatchFileSnapshot(
    fileURLToPath(new URL("../../docs/bench-results.md", import.meta.url)),
  );
});

it("says of each field what it is", () => {
  const rows = schemaPage().match(/^\| `.*$/gm) ?? [];
  expect(rows.length).toBeGreaterThan(60);
  expect(rows.filter((row) => /\|\s*\|$/.test(row))).toEqual([]);
});

it("has each field that results have", () => {
  const page = schemaPage();
  const names = new Set<string>();
  JSON.stringify(madeResults(), (name, value: unknown) => {
    // Parameters are named by workloads.
    if (name !== "" && !/^\d+$/.test(name)) names.add(name);
    return name === "parameters" ? undefined : value;
  });
  expect([...names].filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([]);
  expect(resultsSchema.safeParse(madeResults()).success).toBe(true);
});
