import { describe, expect, it } from "vitest";
import { launcher, type Outcome, run, useScratch } from "./support/strata.ts";

const scratch = useScratch();

async function strata(...args: string[]): Promise<Outcome> {
  return await run(process.execPath, [launcher, ...args], { env: { STRATA_ROOT: scratch.join("root") } });
}

describe("help", () => {
  it("of the program names every command, on standard output", async () => {
    for (const args of [[], ["--help"], ["help"]]) {
      const { code, stdout, stderr } = await strata(...args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      for (const name of ["load", "images", "rmi", "mount", "commit", "gc", "completion"])
        expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
      expect(stdout).not.toContain("__complete");
    }
  });

  it("of a command has examples, and is the same by any way to ask for it", async () => {
    const { code, stdout } = await strata("images", "--help");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: strata images \[OPTIONS\] \[REPOSITORY\[:TAG\]\]\n/);
    expect(stdout).toMatch(/\nExamples:\n {2}\$ strata images\n/);
    expect((await strata("help", "images")).stdout).toBe(stdout);
  });

  it("of a group lists its commands", async () => {
    for (const args of [["image"], ["image", "--help"], ["help", "image"]]) {
      const { code, stdout } = await strata(...args);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^ {2}ls +List images$/m);
    }
  });

  it("needs no store and makes none", async () => {
    await strata("mount", "--help");
    await strata("version");
    expect((await run("ls", [scratch.join("root")])).code).not.toBe(0);
  });
});

describe("version", () => {
  it("is printed in short and in full", async () => {
    expect((await strata("--version")).stdout).toMatch(/^strata \d+\.\d+\.\d+\n$/);
    expect((await strata("version")).stdout).toMatch(/^Strata:\n Version: +\d+\.\d+\.\d+\n Node\.js: /);
    expect((await strata("version", "-f", "{{.Os}}/{{.Arch}}")).stdout).toBe(
      `${process.platform}/${process.arch}\n`,
    );
    expect(JSON.parse((await strata("version", "--json")).stdout)).toHaveProperty("Version");
  });
});

describe("a command line that is not understood ends with 125 and a hint", () => {
  it.each([
    [
      ["imagse"],
      "strata: unknown command 'imagse'\n(Did you mean one of image, images?)\nSee 'strata --help'.",
    ],
    [["image", "lss"], "strata image: unknown command 'lss'\n(Did you mean ls?)\nSee 'strata image --help'."],
    [
      ["images", "--digest"],
      "strata images: unknown option '--digest'\n(Did you mean --digests?)\nSee 'strata images --help'.",
    ],
    [["--rooot", "x"], "strata: unknown option '--rooot'\n(Did you mean --root?)\nSee 'strata --help'."],
    [["rmi"], "strata rmi: missing required argument 'images'\nSee 'strata rmi --help'."],
    [["tag", "a"], "strata tag: missing required argument 'target'\nSee 'strata tag --help'."],
    [
      ["diff", "a", "b"],
      "strata diff: too many arguments for 'diff'. Expected 1 argument but got 2.\nSee 'strata diff --help'.",
    ],
    [
      ["images", "--format"],
      "strata images: option '--format <template>' argument missing\nSee 'strata images --help'.",
    ],
    [
      ["load", "--max-bytes", "many"],
      "strata load: option '--max-bytes <size>' argument 'many' is invalid. Not a size like 500MB, 10GB or 64GiB.\nSee 'strata load --help'.",
    ],
    [
      ["--durability", "some", "images"],
      "strata: option '--durability <level>' argument 'some' is invalid. Allowed choices are none, commit.\nSee 'strata --help'.",
    ],
  ])("%j", async (args, message) => {
    expect(await strata(...args)).toEqual({ code: 125, stdout: "", stderr: `${message}\n` });
  });
});

describe("drivers", () => {
  it("are named, or said to be missing", async () => {
    const { code, stderr } = await strata("--driver", "nosuch", "df");
    expect(code).toBe(1);
    expect(stderr).toBe(
      "Error: driver nosuch is not installed: npm install @strata/driver-nosuch, or give the name of a package or a path\n",
    );
  });

  it("must be drivers", async () => {
    const { code, stderr } = await strata("--driver", "/dev/null", "df");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: driver \/dev\/null: .* exports no function null\n$/);
  });
});

describe("errors", () => {
  it("have no stack trace unless STRATA_DEBUG asks for it", async () => {
    const plain = await strata("version", "-f", "{{.Nope}}");
    const problem =
      'template parsing error: template: :1:2: executing "" at <.Nope>: map has no entry for key "Nope"';
    expect(plain).toEqual({ code: 1, stdout: "", stderr: `Error: ${problem}\n` });
    const debug = await run(process.execPath, [launcher, "version", "-f", "{{.Nope}}"], {
      env: { STRATA_DEBUG: "1" },
    });
    expect(debug.stderr).toMatch(/\n\s+at /);
  });

  it("are JSON with --json", async () => {
    const { code, stderr } = await strata("--json", "--driver", "nosuch", "df");
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toEqual({ error: { message: expect.stringContaining("nosuch") } });
  });
});
