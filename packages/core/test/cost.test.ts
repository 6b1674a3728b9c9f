import { chmodSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { asOrdinaryUser, ordinaryScratch } from "./ordinary-user.ts";

// Whoever lists a directory without permission to read it fails; so the calls that succeed do not.
test("no call but list, cleanup and check lists all snapshots", async () => {
  const root = ordinaryScratch();
  const output = await asOrdinaryUser(
    `
    const { chmodSync } = await import("node:fs");
    const { createDriver } = await import("@strata/core");
    const { directoryMechanism } = await import("./fixtures/directory-mechanism.mjs");
    const driver = await createDriver(directoryMechanism(), { root, durability: "none" });
    for (const name of ["keys", "names", "snapshots", "trash"]) chmodSync(root + "/" + name, 0o300);

    const base = await driver.prepare("one");
    await base.commit("base");
    const child = await driver.prepare("two", "base");
    const mount = await child.mount();
    await child.mountedAt();
    await mount.close();
    await child.commit("child");
    await driver.view("view", "child");
    await driver.open("view");
    await driver.stat("child");
    await driver.setLabels("child", { a: "b" });
    await driver.usage("child");
    await driver.remove("base").catch((error) => console.log(error.code));
    await driver.remove("view");
    await driver.remove("child");
    await driver.remove("base");
    await driver.cleanup().catch((error) => console.log(error.cause.code));
    `,
    root,
  );
  expect(output.trim().split("\n")).toEqual(["FailedPrecondition", "EACCES"]);
  for (const name of ["keys", "names", "snapshots", "trash"]) chmodSync(join(root, name), 0o700);
});

// What is in a directory that may be read but not searched can be listed, and not looked at.
test("a cleanup with nothing to do looks at no committed snapshot", async () => {
  const root = ordinaryScratch();
  const output = await asOrdinaryUser(
    `
    const { chmodSync } = await import("node:fs");
    const { createDriver } = await import("@strata/core");
    const { directoryMechanism } = await import("./fixtures/directory-mechanism.mjs");
    const driver = await createDriver(directoryMechanism(), { root, durability: "none" });
    for (const name of ["one", "two", "three"]) await (await driver.prepare("key")).commit(name);
    for (const name of ["names", "snapshots"]) chmodSync(root + "/" + name, 0o400);
    console.log(JSON.stringify(await driver.cleanup()));
    await driver.stat("one").catch((error) => console.log(error.cause.code));
    `,
    root,
  );
  for (const name of ["names", "snapshots"]) chmodSync(join(root, name), 0o700);
  expect(output.trim().split("\n")).toEqual(['{"removed":0,"bytes":0}', "EACCES"]);
});
