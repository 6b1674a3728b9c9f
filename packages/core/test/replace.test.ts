import { readlinkSync, truncateSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { StorageDriver } from "@strata/core";
import { beforeEach, describe, expect, test } from "vitest";
import { committed, directoryDriver } from "./scratch.ts";

let driver: StorageDriver;
const nameOf = (name: string) => join(driver.root, "names", name);
const loseRecord = (name: string) => truncateSync(join(nameOf(name), "committed.json"));

async function replace(name: string, parent?: string): Promise<void> {
  await (await driver.prepare("good", parent)).commit(name, { replace: true });
}

describe("a commit in place of a snapshot whose name is gone, and whose child has lost its record", () => {
  beforeEach(async () => {
    driver = await directoryDriver();
    await committed(driver, "base");
    await committed(driver, "middle", "base");
    await driver.prepare("top", "middle");
    loseRecord("middle");
  });

  test("takes the place that is known further above", async () => {
    const place = readlinkSync(nameOf("base"));
    unlinkSync(nameOf("base"));
    await replace("base");
    expect(readlinkSync(nameOf("base"))).toBe(place);
    await replace("middle", "base");
    await driver.cleanup();
    expect(await driver.check()).toEqual([]);
  });

  test("is refused where nobody can tell, until what is further above is removed", async () => {
    loseRecord("base");
    unlinkSync(nameOf("base"));
    await expect(replace("base")).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: expect.stringMatching(/"top" is on top of a snapshot .* may be "base"; remove "top" first/),
    });
    for (const id of ["good", "top"]) await driver.remove(id);
    await replace("base");
  });
});
