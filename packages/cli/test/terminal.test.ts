import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { writeArchive } from "./support/archive.ts";
import { type Strata, useScratch, useStrata } from "./support/strata.ts";
import { onTerminal } from "./support/terminal.ts";

const scratch = useScratch();
const store = useStrata(scratch, "vfs");
let strata: Strata;
let archive: string;
let labels: string[];
/** The command as the shell takes it. */
let command: string;

beforeAll(() => {
  strata = store.strata;
  command = [process.execPath, ...strata.prefix].join(" ");
  archive = scratch.join("layers.tar");
  const { diffIds } = writeArchive(archive, {
    tags: ["t1:latest"],
    layers: [{ big: "x".repeat(1_000_000) }, { small: "y" }],
    steps: ["RUN \x1b[31mred\x1b[0m", "COPY small"],
  });
  labels = diffIds.map((diffId) => diffId.slice("sha256:".length, "sha256:".length + 12));
});

describe("load", () => {
  it("draws a bar for each layer, in place", async () => {
    const { code, screen } = await onTerminal(`${command} load -i ${archive}`);
    expect(code).toBe(0);
    expect(screen).toEqual([
      `${labels[0]}: Loading layer [${"=".repeat(50)}>]  1.004MB/1.004MB`,
      `${labels[1]}: Loading layer [${"=".repeat(50)}>]  10.24kB/10.24kB`,
      "Loaded image: t1:latest",
    ]);
    const again = await onTerminal(`${command} load -i ${archive}`);
    expect(again.screen).toEqual([
      `${labels[0]}: Already exists`,
      `${labels[1]}: Already exists`,
      "Loaded image: t1:latest",
    ]);
  });

  it("fits its bars into a narrow terminal", async () => {
    await strata.ok("rmi", "t1");
    const { screen } = await onTerminal(`${command} load -i ${archive}`, { columns: 60 });
    expect(screen[0]).toMatch(new RegExp(`^${labels[0]}: Loading layer \\[=+>\\] +1.004MB/1.004MB$`));
    expect(Math.max(...screen.map((line) => line.length))).toBeLessThan(60);
    await strata.ok("rmi", "t1");
    const narrowest = await onTerminal(`${command} load -i ${archive}`, { columns: 40 });
    expect(Math.max(...narrowest.screen.map((line) => line.length))).toBeLessThan(40);
    expect(narrowest.screen.at(-1)).toBe("Loaded image: t1:latest");
  });

  it("shows no progress with -q", async () => {
    await strata.ok("rmi", "t1");
    const { raw } = await onTerminal(`${command} load -q -i ${archive}`);
    expect(raw).toBe("Loaded image: t1:latest\n");
  });

  it("does not wait for a terminal to type an archive", async () => {
    const { code, screen } = await onTerminal(`${command} load`);
    expect({ code, screen }).toEqual({
      code: 1,
      screen: ["Error: requested load from stdin, but stdin is empty"],
    });
    expect((await onTerminal(`${command} import -`)).code).toBe(1);
  });
});

describe("archives", () => {
  it.each(["save t1", "export web"])("%s is not written to a terminal", async (args) => {
    await strata.run(["create", "--name", "web", "t1"]);
    const { code, screen } = await onTerminal(`${command} ${args}`);
    expect({ code, screen }).toEqual({
      code: 1,
      screen: ["Error: cowardly refusing to save to a terminal. Use the -o flag or redirect"],
    });
  });
});

describe("text", () => {
  it("cannot steer the terminal", async () => {
    const { raw } = await onTerminal(`${command} history --no-trunc t1`);
    expect(raw).toContain("RUN \\x1b[31mred\\x1b[0m");
    expect(raw).not.toContain("\x1b");
    await strata.run(["create", "--name", "odd", "t1"]);
    const path = await strata.ok("mount", "odd");
    mkdirSync(join(path, "dir\n\x1b[2J"));
    writeFileSync(join(path, "dir\n\x1b[2J", "é"), "");
    const diff = await onTerminal(`${command} diff odd`);
    expect(diff.screen).toEqual(["A /dir\\n\\x1b[2J", "A /dir\\n\\x1b[2J/é"]);
    expect(await strata.ok("diff", "odd")).toContain("A /dir\n\x1b[2J\n");
  });

  it("is indented in JSON for people only", async () => {
    expect((await onTerminal(`${command} --json images`)).raw).toMatch(/^\[\n {2}\{\n/);
    expect(await strata.ok("--json", "images")).not.toContain("\n");
  });
});
