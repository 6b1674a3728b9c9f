import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { writeArchive, writeFiles } from "./support/archive.ts";
import { allDrivers, run, type Strata, useScratch, useStrata } from "./support/strata.ts";

const scratch = useScratch();

describe.each(allDrivers)("under %s", (driver) => {
  const store = useStrata(scratch, driver);
  let strata: Strata;

  beforeAll(async () => {
    strata = store.strata;
    const archive = scratch.join(`base-${driver}.tar`);
    writeArchive(archive, {
      tags: ["base:1"],
      layers: [{ "etc/motd": "hello", "etc/hosts": "" }],
      config: { Cmd: ["sh"] },
    });
    await strata.ok("load", "-qi", archive);
  });

  it("are created with names, labels and commands, and listed", async () => {
    const id = await strata.ok("create", "--name", "web", "-l", "owner=me", "base:1", "sleep", "-n", "1");
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await strata.ok("ps", "-a", "--filter", "name=web")).toMatch(
      new RegExp(
        "^CONTAINER ID {3}IMAGE {5}COMMAND {8}CREATED {2,}STATUS {4}PORTS {5}NAMES\n" +
          `${id.slice(0, 12)} {3}base:1 {4}"sleep -n 1" {3}(?:Less than a second|\\d+ seconds?|About a minute) ago {3}Created {13}web$`,
      ),
    );
    expect(await strata.ok("ps")).toBe(
      "CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES",
    );
    expect(await strata.ok("ps", "-q", "--no-trunc", "-l")).toBe(id);
    expect(
      await strata.ok("ps", "-a", "-f", "label=owner=me", "--format", '{{.Names}} {{.Label "owner"}}'),
    ).toBe("web me");
    expect(await strata.ok("ps", "-aqf", "ancestor=base:1", "--no-trunc")).toContain(id);
    expect(await strata.ok("ps", "-aqf", "status=running")).toBe("");
    await strata.ok("create", "base:1");
    expect(await strata.ok("ps", "-l", "--format", "{{.Names}}")).toMatch(/^[a-z]+_[a-z]+$/);
  });

  it("are mounted until another process unmounts them", async () => {
    await strata.ok("create", "--name", "outlives", "base:1");
    const path = await strata.ok("mount", "outlives");
    expect(readFileSync(join(path, "etc/motd"), "utf8")).toBe("hello");
    writeFileSync(join(path, "new"), "kept");
    expect(await strata.ok("mount", "outlives")).toBe(path);
    expect(await strata.ok("ps", "-a", "-f", "name=outlives", "--format", "{{.Status}} {{.Mounts}}")).toBe(
      `Created (mounted) ${path}`,
    );
    expect(await strata.ok("umount", "outlives")).toBe("outlives");
    expect(await strata.fails("umount", "outlives")).toBe("Error: container outlives is not mounted");
    expect(readFileSync(join(await strata.ok("mount", "outlives"), "new"), "utf8")).toBe("kept");
  });

  it("are not unmounted while files are open, except by force, if they are mounts", async () => {
    await strata.ok("create", "--name", "busy", "base:1");
    const path = await strata.ok("mount", "busy");
    const isMount = (await run("mountpoint", ["-q", path])).code === 0;
    const open = openSync(join(path, "etc/motd"), "r");
    try {
      if (isMount) expect(await strata.fails("umount", "busy")).toMatch(/is in use: .* unmount by force/);
      expect(await strata.ok("umount", "--force", "busy")).toBe("busy");
    } finally {
      closeSync(open);
    }
  });

  it("refuse to be removed while mounted, except by force", async () => {
    await strata.ok("create", "--name", "held", "base:1");
    await strata.ok("mount", "held");
    expect(await strata.fails("rm", "held")).toMatch(/mounted/);
    expect(await strata.ok("rm", "-f", "held")).toBe("held");
    expect(await strata.ok("ps", "-aqf", "name=held")).toBe("");
  });

  it("list what changed, sorted, mounted or not", async () => {
    await strata.ok("create", "--name", "changed", "base:1");
    const path = await strata.ok("mount", "changed");
    writeFiles(path, { "b/c": "1", "b!": "2", "etc/motd": "changed" });
    const changes = ["A /b", "A /b/c", "A /b!", "C /etc", "C /etc/motd"];
    const sorted = (await strata.ok("diff", "changed")).split("\n");
    expect(sorted.toSorted()).toEqual(changes.toSorted());
    expect(sorted.indexOf("A /b")).toBeLessThan(sorted.indexOf("A /b/c"));
    await strata.ok("umount", "changed");
    expect((await strata.ok("diff", "changed")).split("\n")).toEqual(sorted);
    expect(await strata.json("diff", "changed")).toContainEqual({ kind: "modified", path: "/etc/motd" });
  });

  it("show names as they are, and lossless in JSON", async () => {
    await strata.ok("create", "--name", "names", "base:1");
    const path = await strata.ok("mount", "names");
    const odd = Buffer.from([0x61, 0xff, 0x0a, 0x62]);
    mkdirSync(Buffer.concat([Buffer.from(`${path}/`), odd]));
    const listed = await strata.json<{ pathBase64?: string }[]>("diff", "names");
    expect(listed).toContainEqual({
      kind: "added",
      path: `/${odd.toString()}`,
      pathBase64: odd.toString("base64"),
    });
  });

  it("are exported as a whole", async () => {
    await strata.ok("create", "--name", "exported", "base:1");
    writeFiles(await strata.ok("mount", "exported"), { added: "x" });
    const file = scratch.join(`exported-${driver}.tar`);
    await strata.ok("export", "-o", file, "exported");
    const { stdout } = await run("tar", ["-tf", file]);
    expect(stdout.split("\n").map((name) => name.replace(/^\.\//, ""))).toEqual(
      expect.arrayContaining(["added", "etc/motd", "etc/hosts"]),
    );
  });

  it("become images, with author, message and config", async () => {
    await strata.ok("create", "--name", "made", "base:1");
    writeFiles(await strata.ok("mount", "made"), { tool: "tool" });
    const id = await strata.ok(
      ...[
        "commit",
        "-q",
        "-a",
        "Ada Ö <ada@example.com>",
        "-m",
        "新しい",
        "-c",
        'CMD ["tool"]',
        "--pause=false",
        "made",
        "made:2",
      ],
    );
    const format = "{{.Id}}|{{.Author}}|{{.Comment}}|{{.Config.Cmd}}|{{len .RootFS.Layers}}";
    expect(await strata.ok("inspect", "-f", format, "made:2")).toBe(
      `${id}|Ada Ö <ada@example.com>|新しい|[tool]|2`,
    );
    expect(await strata.json("commit", "made")).toMatchObject({
      id: expect.stringMatching(/^sha256:/),
      size: 4,
      junk: [],
    });
  });

  it("are counted by df and spared by gc", async () => {
    await strata.ok("create", "--name", "counted", "base:1");
    const [images, containers] = (await strata.ok("df")).split("\n").slice(1);
    expect(images).toMatch(/^Images {7}\d+ {9}\d+ /);
    expect(containers).toMatch(/^Containers {3}\d+ /);
    expect(await strata.ok("df", "--format", "{{.Type}}")).toBe("Images\nContainers\nBlobs\nStaging");
    const details = await strata.ok("df", "-v");
    expect(details).toMatch(/^REPOSITORY .* SIZE +SHARED SIZE +UNIQUE SIZE +CONTAINERS$/m);
    expect(details).toMatch(/^base +1 .* \d+$/m);
    expect(details).toMatch(/^[0-9a-f]{12} +base:1 +"sh" +[\d.]+k?B .* counted$/m);
    expect(await strata.ok("gc")).toMatch(/^Removed \d+, reclaimed [\d.]+k?B$/);
    expect(await strata.ok("mount", "counted")).toMatch(/^\//);
  });
});
