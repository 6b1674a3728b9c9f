import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { writeArchive } from "./support/archive.ts";
import { type Strata, useScratch, useStrata } from "./support/strata.ts";

/* Listings say the same whatever the driver: vfs works everywhere. */

const scratch = useScratch();
const store = useStrata(scratch, "vfs");
let strata: Strata;
const ids: Record<"old" | "young" | "bare", string> = { old: "", young: "", bare: "" };

beforeAll(async () => {
  strata = store.strata;
  const images = {
    old: { tags: ["old:1", "old:latest", "reg.example:5000/team/old:1"], created: "2001-01-01T00:00:00Z" },
    young: { tags: ["young:latest"], created: new Date(Date.now() - 3 * 3600_000).toISOString() },
    bare: { created: "0001-01-01T00:00:00Z" },
  };
  for (const name of ["old", "young", "bare"] as const) {
    const archive = scratch.join(`${name}.tar`);
    const config = { Labels: { kind: name, stage: "test" } };
    ids[name] = writeArchive(archive, { layers: [{ [name]: "x".repeat(1234) }], config, ...images[name] }).id;
    await strata.ok("load", "-q", "-i", archive);
  }
});

const short = (id: string) => id.slice("sha256:".length, "sha256:".length + 12);

describe("images", () => {
  it("is a table, newest first, a line for each tag", async () => {
    const years = new Date().getFullYear() - 2001;
    expect(await strata.ok("images")).toBe(
      [
        "REPOSITORY                  TAG       IMAGE ID       CREATED        SIZE",
        `young                       latest    ${short(ids.young)}   3 hours ago    1.23kB`,
        `old                         1         ${short(ids.old)}   ${years} years ago   1.23kB`,
        `old                         latest    ${short(ids.old)}   ${years} years ago   1.23kB`,
        `reg.example:5000/team/old   1         ${short(ids.old)}   ${years} years ago   1.23kB`,
        `<none>                      <none>    ${short(ids.bare)}   N/A            1.23kB`,
      ].join("\n"),
    );
  });

  it("is the same by every name of the command", async () => {
    const listing = await strata.ok("images");
    expect(await strata.ok("image", "ls")).toBe(listing);
    expect(await strata.ok("image", "list")).toBe(listing);
  });

  it("shows digests and whole IDs when asked", async () => {
    const [heading, line] = (await strata.ok("images", "--digests", "--no-trunc", "young")).split("\n");
    expect(heading).toMatch(/^REPOSITORY {3}TAG {7}DIGEST {68}IMAGE ID {66}CREATED {7}SIZE$/);
    expect(line).toMatch(
      new RegExp(`^young {8}latest {4}sha256:[0-9a-f]{64} {3}${ids.young} {3}3 hours ago {3}1.23kB$`),
    );
  });

  it.each([
    [["-q"], ["young", "old", "old", "old", "bare"]],
    [
      ["-q", "old"],
      ["old", "old"],
    ],
    [["-q", "old:1"], ["old"]],
    [["-q", "reg.example:5000/*/*"], ["old"]],
    [["-q", "nosuch"], []],
    [["-qf", "dangling=true"], ["bare"]],
    [["-qf", "dangling=false", "young"], ["young"]],
    [["-qf", "label=kind=young"], ["young"]],
    [["-qf", "label=stage", "-f", "label=kind=bare"], ["bare"]],
    [
      ["-qf", "before=young"],
      ["old", "old", "old", "bare"],
    ],
    [["-qf", "since=old"], ["young"]],
    [["-qf", "reference=y*"], ["young"]],
  ] as const)("%j", async (args, names) => {
    const lines = (await strata.ok("images", ...args)).split("\n").filter(Boolean);
    expect(lines).toEqual(names.map((name) => short(ids[name])));
  });

  it.each([
    [["--format", "{{.Repository}}:{{.Tag}}", "young"], "young:latest"],
    [
      ["--format", "table {{.ID}}\\t{{.Size}}", "young"],
      () => `IMAGE ID       SIZE\n${short(ids.young)}   1.23kB`,
    ],
    [["-q", "--format", "{{.Tag}}", "young"], "latest"],
    [["--format", '{{if eq .Tag "latest"}}yes{{else}}no{{end}}', "old"], "no\nyes"],
  ] as const)("%j", async (args, text) => {
    expect(await strata.ok("images", ...args)).toBe(typeof text === "string" ? text : text());
  });

  it("prints an object a line with --format json, and one document with --json", async () => {
    const line = JSON.parse(await strata.ok("images", "--format", "json", "young"));
    expect(line).toMatchObject({ Repository: "young", Tag: "latest", ID: short(ids.young), Size: "1.23kB" });
    const all = await strata.json<object[]>("images");
    expect(all).toHaveLength(3);
    expect(all[0]).toMatchObject({
      id: ids.young,
      references: ["docker.io/library/young:latest"],
      size: 1234,
    });
  });
});

describe("history", () => {
  it("shows steps, newest first, as a table", async () => {
    const [heading, line] = (await strata.ok("history", "old:1")).split("\n");
    expect(heading).toBe("IMAGE          CREATED        CREATED BY   SIZE      COMMENT");
    expect(line).toMatch(new RegExp(`^${short(ids.old)} {3}\\d\\d years ago {3}layer 0 {6}1.23kB {4}$`));
  });

  it("cuts long commands, marks what is missing, and can do without", async () => {
    const archive = scratch.join("long.tar");
    const { id } = writeArchive(archive, {
      tags: ["long:1"],
      layers: [{ a: "a" }, { b: "b" }],
      steps: [`RUN ${"x".repeat(60)}`, "COPY\tb"],
    });
    await strata.ok("load", "-qi", archive);
    const rows = async (...args: string[]) =>
      (await strata.ok("history", ...args, "--format", "{{.ID}}|{{.CreatedBy}}|{{.Size}}", "long:1")).split(
        "\n",
      );
    expect(await rows()).toEqual([`${short(id)}|COPY b|1B`, `<missing>|RUN ${"x".repeat(40)}…|1B`]);
    expect(await rows("--no-trunc")).toEqual([`${id}|COPY b|1B`, `<missing>|RUN ${"x".repeat(60)}|1B`]);
    expect(await strata.ok("history", "-q", "long:1")).toBe(`${short(id)}\n<missing>`);
    expect(await strata.ok("history", "-H=false", "--format", "{{.CreatedSince}} {{.Size}}", "old:1")).toBe(
      "2001-01-01T00:00:00Z 1234",
    );
  });
});

describe("inspect", () => {
  it("prints an array of what was found, and says what was not", async () => {
    const { code, stdout, stderr } = await strata.run(["inspect", "young", "nosuch", ids.old]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "Error: No such object: nosuch\n" });
    expect(JSON.parse(stdout)).toMatchObject([{ Id: ids.young }, { Id: ids.old }]);
    expect(stdout).toMatch(/^\[\n {4}\{\n {8}"Id": /);
  });

  it("takes a template for each object", async () => {
    expect(await strata.ok("inspect", "-f", "{{.Config.Labels.kind}} {{.Size}}", "young", "old")).toBe(
      "young 1234\nold 1234",
    );
    expect(await strata.fails("inspect", "-f", "{{.Nope}}", "young")).toBe(
      'Error: template parsing error: template: :1:2: executing "" at <.Nope>: map has no entry for key "Nope"',
    );
  });

  it("looks for one type where it is told to", async () => {
    await strata.ok("create", "--name", "young", "young");
    const [container] = JSON.parse(await strata.ok("inspect", "young"));
    expect(container).toMatchObject({ Name: "/young" });
    expect(JSON.parse(await strata.ok("inspect", "--type", "image", "young"))).toMatchObject([
      { Id: ids.young },
    ]);
    expect(JSON.parse(await strata.ok("image", "inspect", "young"))).toMatchObject([{ Id: ids.young }]);
    expect(await strata.fails("container", "inspect", "old")).toBe("Error: No such container: old");
    await strata.ok("rm", "young");
  });
});

describe("load", () => {
  it("says what it loaded, and what lost its name", async () => {
    const archive = scratch.join("again.tar");
    const first = writeArchive(archive, { tags: ["t1:latest"], layers: [{ a: "1" }] });
    expect(await strata.ok("load", "-i", archive)).toBe("Loaded image: t1:latest");
    expect(await strata.ok("load", "-i", archive)).toBe("Loaded image: t1:latest");
    writeArchive(archive, { tags: ["t1:latest"], layers: [{ a: "2" }] });
    expect(await strata.ok("load", "-i", archive)).toBe(
      `The image t1:latest already exists, renaming the old one with ID ${first.id} to empty string\nLoaded image: t1:latest`,
    );
    const unnamed = writeArchive(archive, { layers: [{ a: "3" }] });
    expect(await strata.ok("load", "-i", archive)).toBe(`Loaded image ID: ${unnamed.id}`);
  });

  it("reads standard input", async () => {
    const archive = scratch.join("stdin.tar");
    writeArchive(archive, { tags: ["stdin:1"], layers: [{ a: "stdin" }] });
    const { code, stdout } = await strata.run(["load", "-q"], { input: readFileSync(archive) });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "Loaded image: stdin:1\n" });
  });

  it("prints a line for each layer on standard error, nothing with -q, and events with --json", async () => {
    const archive = scratch.join("events.tar");
    const { diffIds, id } = writeArchive(archive, { tags: ["events:1"], layers: [{ e: "1" }, { e: "2" }] });
    const loud = await strata.run(["load", "-i", archive]);
    for (const diffId of diffIds)
      expect(loud.stderr).toMatch(new RegExp(`^${short(diffId)}: Loaded layer `, "m"));
    expect(await strata.run(["load", "-qi", archive])).toMatchObject({ stderr: "" });
    const events = (await strata.ok("--json", "load", "-i", archive))
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events).toContainEqual(
      expect.objectContaining({ kind: "layer", diffId: diffIds[0], status: "exists" }),
    );
    expect(events.at(-1)).toMatchObject({ kind: "loaded", id, references: ["docker.io/library/events:1"] });
  });
});

describe("import", () => {
  it("makes an image of a directory or a tar, with a config", async () => {
    const id = await strata.ok(
      "import",
      "-m",
      "by hand",
      "-c",
      'CMD ["sh"]',
      "-c",
      "ENV A=1",
      import.meta.dirname,
      "hand:1",
    );
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await strata.ok("inspect", "-f", "{{.Config.Cmd}} {{.Config.Env}} {{.Comment}}", "hand:1")).toBe(
      "[sh] [A=1] by hand",
    );
    const events = await strata.ok("--json", "import", import.meta.dirname);
    expect(JSON.parse(events.split("\n").at(-1) ?? "")).toMatchObject({ kind: "imported" });
  });
});

describe("save and export", () => {
  it("write to a file that appears whole, or to standard output", async () => {
    const file = scratch.join("saved.tar");
    await strata.ok("save", "-o", file, "young");
    const { stdout } = await strata.run(["save", "young"]);
    expect(readFileSync(file).toString()).toBe(stdout);
    expect(await strata.json("save", "-o", file, "young")).toEqual({
      path: file,
      bytes: readFileSync(file).length,
    });
  });

  it.each([
    [
      ["save", "-o", "/nosuch/x.tar", "young"],
      'Error: invalid output path: directory "/nosuch" does not exist',
    ],
    [["save", "-o", "/tmp", "young"], "Error: invalid output path: /tmp is a directory"],
  ])("%j", async (args, message) => {
    expect(await strata.fails(...args)).toBe(message);
  });

  it("leave nothing behind when they fail", async () => {
    const dir = scratch.join("failed");
    mkdirSync(dir);
    expect(await strata.fails("save", "-o", join(dir, "x.tar"), "young", "nosuch")).toBe(
      "Error: No such image: nosuch",
    );
    expect(readdirSync(dir)).toEqual([]);
  });
});
