import { readdirSync } from "node:fs";
import { release } from "node:os";
import { describe, expect, it } from "vitest";
import { drivers, launcher, run, useScratch, useStrata } from "./support/strata.ts";

const scratch = useScratch();

interface Info {
  readonly Root: string;
  readonly Driver: string;
  readonly DriverReason: string;
  readonly KernelVersion: string;
  readonly StorageEngines: readonly { name: string; usable: boolean; reason: string }[];
}

describe.each(drivers)("under %s", (driver) => {
  const store = useStrata(scratch, driver);

  it("C13: info lists each storage engine: usable, or why not", async () => {
    const lines = (await store.strata.ok("info")).split("\n");
    for (const engine of ["overlay2", "vfs", "btrfs", "zfs", "devicemapper", "aufs", "windowsfilter"])
      expect(lines).toContainEqual(
        expect.stringMatching(new RegExp(`^ ${engine} +(?:usable|not usable): \\S`)),
      );
    const { StorageEngines } = await store.strata.json<Info>("info");
    expect(StorageEngines.filter(({ usable }) => usable).map(({ name }) => name)).toContain(driver);
    expect(StorageEngines.find(({ name }) => name === "windowsfilter")).toMatchObject({ usable: false });
  });

  it("tells the driver's capabilities with their reasons, and where things are", async () => {
    const text = await store.strata.ok("info");
    expect(text).toMatch(/^ sharesParent +(?:yes|no) \(\S.*\)$/m);
    expect(await store.strata.json<Info>("info")).toMatchObject({
      Root: store.strata.root,
      Driver: driver,
      DriverReason: "asked for",
      KernelVersion: release(),
    });
    expect(await store.strata.ok("info", "-f", "{{.Driver}} {{.Images}} {{.Containers}}")).toBe(
      `${driver} 0 0`,
    );
  });

  it("leaves nothing of its probes behind", async () => {
    await store.strata.ok("info");
    expect(readdirSync(store.strata.root).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("a root stays with the driver that it was used with", async () => {
    await store.strata.ok("import", import.meta.dirname, "some:1");
    const { stdout } = await run(process.execPath, [launcher, "--root", store.strata.root, "--json", "info"]);
    expect(JSON.parse(stdout)).toMatchObject({
      Driver: driver,
      DriverReason: "this root was used with it before",
    });
  });
});

it("where no driver is asked for, the best that works here is taken", async () => {
  const { stdout } = await run(process.execPath, [
    launcher,
    "--root",
    scratch.join("fresh"),
    "--json",
    "info",
  ]);
  expect(JSON.parse(stdout)).toMatchObject({ Driver: drivers[0] });
});

it("a driver can be a path", async () => {
  const vfs = new URL("../../../drivers/vfs/dist/index.js", import.meta.url).pathname;
  const { code, stdout } = await run(process.execPath, [
    ...[launcher, "--root", scratch.join("by-path"), "--driver", vfs, "info", "-f", "{{.Driver}}"],
  ]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "vfs\n" });
});

it("the root and the driver can come from the environment", async () => {
  const env = { STRATA_ROOT: scratch.join("by-env"), STRATA_DRIVER: "vfs" };
  const { stdout } = await run(process.execPath, [launcher, "info", "-f", "{{.Root}} {{.Driver}}"], { env });
  expect(stdout).toBe(`${env.STRATA_ROOT} vfs\n`);
});

it("without a root of its own, an ordinary user's state lies in the home directory", async () => {
  const { rootOf } = await import("../src/context.ts");
  const geteuid = process.geteuid?.();
  const expected = geteuid === 0 ? "/var/lib/strata" : expect.stringMatching(/strata$/);
  expect(rootOf({ root: "" })).toEqual(expected);
});
