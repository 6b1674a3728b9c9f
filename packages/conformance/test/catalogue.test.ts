import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { type CataloguedDriver, cataloguePage } from "../src/catalogue.ts";
import type { Supports } from "../src/driver-under-test.ts";
import { groups } from "../src/groups/index.ts";
import { notInTheSuite } from "../src/not-in-the-suite.ts";
import { expectedBehaviours } from "./fixtures/expected-behaviours.ts";
import { memory } from "./memory/under-test.ts";

const top = fileURLToPath(new URL("../../..", import.meta.url));
const behaviours = groups.flatMap((group) => group.behaviours);
const ids = behaviours.map(({ id }) => id);

it("docs/conformance.md is what the suite says of itself (npm run docs:conformance writes it anew)", async () => {
  const own = { ...memory, processes: false };
  const page = cataloguePage([...readdirSync(`${top}/drivers`).sort().map(restated), own]);
  await expect(page).toMatchFileSnapshot(`${top}/docs/conformance.md`);
});

it("has at least 150 behaviours, each with an id of its own", () => {
  expect(ids.length).toBeGreaterThanOrEqual(150);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  expect(ids.filter((id) => !/^[a-z0-9.]+(?:[-_.'][A-Za-z0-9.]+)*\.?(?:-[a-z]+)*$/.test(id))).toEqual([]);
});

it("has titles that are sentences, and origins that are known", () => {
  const titles = behaviours.map(({ title }) => title);
  expect(titles.filter((title) => !title.includes(" ") || title.endsWith("."))).toEqual([]);
  expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  expect(behaviours.filter(({ origin }) => !/^(?:N|[MSCAU]+)$/.test(origin)).map(({ id }) => id)).toEqual([]);
});

it("has everything that suites of others test, or says why not", () => {
  const left = notInTheSuite.map(({ id }) => id);
  const missing = expectedBehaviours.filter(
    (expected) => !left.includes(expected.id) && !ids.some((id) => isOrBegins(expected.id, id)),
  );
  expect(missing.map(({ id }) => id)).toEqual([]);
  expect(left.filter((id) => ids.includes(id))).toEqual([]);
});

it("knows where others test it too", () => {
  const wrong = expectedBehaviours.flatMap(({ id, origin }) =>
    behaviours
      .filter((behaviour) => behaviour.id === id && behaviour.origin !== origin)
      .map((behaviour) => `${id}: ${behaviour.origin}, not ${origin}`),
  );
  expect(wrong).toEqual([]);
});

function isOrBegins(expected: string, id: string): boolean {
  return id === expected || id.startsWith(`${expected}-`);
}

/** What a driver's own test says that it can do: read there, since the suite imports no driver. */
function restated(driver: string): CataloguedDriver {
  const source = readFileSync(`${top}/drivers/${driver}/test/conformance.test.ts`, "utf8");
  const found = /supports: \{([^}]*)\}/.exec(source)?.[1] ?? "";
  const supports = { ...memory.supports, maxDepth: 0 };
  const restate = (name: string, value: string) => {
    const key = Object.keys(memory.supports).find((known): known is keyof Supports => known === name);
    if (key === undefined) throw new Error(`${driver} restates ${name}, which is no capability`);
    if (key === "maxDepth") supports.maxDepth = Number(value);
    else supports[key] = value === "true";
  };
  const lines = [...found.matchAll(/(\w+): (true|false|\d+)/g)];
  for (const [, name = "", value = ""] of lines) restate(name, value);
  expect(lines.length, `${driver} restates all its capabilities`).toBe(Object.keys(supports).length);
  return { name: driver, supports, processes: source.includes("module:") };
}
