import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { writeArchive } from "./support/archive.ts";
import { type Strata, useScratch, useStrata } from "./support/strata.ts";

/* Each failure has one clear message and exit code 1; docker's words where docker has some. */

const scratch = useScratch();
const store = useStrata(scratch, "vfs");
let strata: Strata;
let id: string;
let archive: string;
const short = (digest: string) => digest.slice("sha256:".length, "sha256:".length + 12);

beforeAll(() => {
  strata = store.strata;
  archive = scratch.join("t1.tar");
  ({ id } = writeArchive(archive, { tags: ["t1:latest"], layers: [{ a: "1" }], config: { Cmd: ["sh"] } }));
});

describe("rmi", () => {
  afterEach(async () => {
    const containers = (await strata.ok("ps", "-aq")).split("\n").filter(Boolean);
    if (containers.length > 0) await strata.ok("rm", "-f", ...containers);
    await strata.run(["rmi", "-f", ...(await strata.ok("images", "-aq")).split("\n")]);
    expect(await strata.ok("images", "-aq")).toBe("");
  });

  it("untags, and deletes what has no tag left", async () => {
    await strata.ok("load", "-qi", archive);
    await strata.ok("tag", "t1", "t2:x");
    expect(await strata.ok("rmi", "t2:x")).toMatch(/^Untagged: t2:x\n/);
    const removed = (await strata.ok("rmi", "t1")).split("\n");
    expect(removed[0]).toBe("Untagged: t1:latest");
    expect(removed).toContain(`Deleted: ${id}`);
    expect(removed.filter((line) => /^Deleted: sha256:[0-9a-f]{64}$/.test(line))).toHaveLength(2);
  });

  it("refuses a tag that a container uses, and only untags with -f", async () => {
    await strata.ok("load", "-qi", archive);
    const container = await strata.ok("create", "t1:latest");
    expect(await strata.fails("rmi", "t1:latest")).toBe(
      `Error: conflict: unable to remove repository reference "t1:latest" (must force) - container ${container.slice(0, 12)} is using its referenced image ${short(id)}`,
    );
    expect(await strata.ok("rmi", "-f", "t1:latest")).not.toContain("Deleted");
    expect(await strata.ok("images", "-q")).toBe(short(id));
    expect(await strata.fails("rmi", short(id))).toBe(
      `Error: conflict: unable to delete ${short(id)} (must be forced) - image is being used by stopped container ${container.slice(0, 12)}`,
    );
  });

  it("refuses the ID of an image with several tags", async () => {
    await strata.ok("load", "-qi", archive);
    await strata.ok("tag", "t1", "other:1");
    expect(await strata.fails("rmi", id)).toBe(
      `Error: conflict: unable to delete ${short(id)} (must be forced) - image is referenced in multiple repositories`,
    );
    await strata.ok("rmi", "-f", id);
  });

  it("refuses the ID of an image with children, and says which and how", async () => {
    await strata.ok("load", "-qi", archive);
    await strata.ok("create", "--name", "parent", "t1");
    const child = await strata.ok("commit", "-q", "parent", "child:1");
    await strata.ok("rm", "parent");
    const message = await strata.fails("rmi", short(id));
    expect(message).toContain(
      `Error: conflict: unable to delete ${short(id)} (cannot be forced) - image has dependent child images`,
    );
    expect(message).toContain("child:1");
    expect(message).toContain("rmi");
    // Its order is no matter when all are to go.
    await strata.ok("rmi", short(id), short(child));
  });

  it("of an unknown image fails, but with -f is content", async () => {
    expect(await strata.run(["rmi", "nosuch"])).toEqual({
      code: 1,
      stdout: "",
      stderr: "Error: No such image: nosuch\n",
    });
    expect(await strata.run(["rmi", "-f", "nosuch"])).toEqual({
      code: 0,
      stdout: "",
      stderr: "Error: No such image: nosuch\n",
    });
  });

  it("of everything that images -q lists succeeds, duplicates and all", async () => {
    await strata.ok("load", "-qi", archive);
    await strata.ok("tag", "t1", "t1:2");
    await strata.ok("create", "--name", "base", "t1");
    await strata.ok("commit", "-q", "base", "derived:1");
    await strata.ok("commit", "-q", "base");
    await strata.ok("rm", "base");
    await strata.ok("rmi", ...(await strata.ok("images", "-q")).split("\n"));
    expect(await strata.ok("images", "-aq")).toBe("");
  });

  it("-f of everything that images -aq lists succeeds", async () => {
    await strata.ok("load", "-qi", archive);
    await strata.ok("tag", "t1", "elsewhere/t1:2");
    await strata.ok("rmi", "-f", ...(await strata.ok("images", "-aq")).split("\n"));
    expect(await strata.ok("images", "-aq")).toBe("");
  });
});

describe("what is not there", () => {
  it.each([
    [["history", "nosuch"], "No such image: nosuch"],
    [["tag", "nosuch", "x"], "No such image: nosuch"],
    [["save", "nosuch"], "No such image: nosuch"],
    [["create", "nosuch"], "No such image: nosuch"],
    [["mount", "nosuch"], "No such container: nosuch"],
    [["umount", "nosuch"], "No such container: nosuch"],
    [["diff", "nosuch"], "No such container: nosuch"],
    [["commit", "nosuch"], "No such container: nosuch"],
    [["export", "nosuch"], "No such container: nosuch"],
    [["rm", "nosuch"], "No such container: nosuch"],
    [["inspect", "nosuch"], "No such object: nosuch"],
    [["image", "inspect", "nosuch"], "No such image: nosuch"],
  ])("%j", async (args, message) => {
    expect(await strata.fails(...args)).toBe(`Error: ${message}`);
  });
});

describe("what cannot be read", () => {
  it.each([
    [["tag", "t1", "UPPER"], /invalid reference format: .*lower ?case/i],
    [["tag", "t1", "a:b:c"], /invalid reference format/],
    [["import", ".", "a@b"], /invalid reference format/],
    [["images", "--filter", "colour=red"], /invalid filter 'colour'/],
    [["images", "--filter", "dangling"], /bad format of filter/],
    [["images", "--filter", "before=nosuch"], /No such image: nosuch/],
    [["ps", "-a", "--filter", "colour=red"], /invalid filter 'colour'/],
    [["import", "http://example.com/x.tar"], /download it first/],
    [["import", "/nosuch"], /nosuch/],
    [["load", "-i", "/nosuch"], /nosuch/],
  ] as const)("%j", async (args, message) => {
    await strata.run(["load", "-qi", archive]);
    expect(await strata.fails(...args)).toMatch(message);
  });

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["garbage", Buffer.from("this is no archive, whatever it may look like".repeat(50))],
    ["half an archive", undefined],
    ["half a gzip stream", "gzip"],
  ])("load of %s leaves nothing behind", async (_, content) => {
    const file = scratch.join("garbage");
    const whole = readFileSync(archive);
    writeFileSync(file, Buffer.isBuffer(content) ? content : content === "gzip" ? gzipSync(whole) : whole);
    if (!Buffer.isBuffer(content)) truncateSync(file, Math.floor(readFileSync(file).length / 2));
    await strata.run(["rmi", "-f", "t1"]);
    const before = everything();
    const fromFile = await strata.fails("load", "-qi", file);
    const fromStdin = await strata.run(["load", "-q"], { input: readFileSync(file) });
    expect(fromStdin.code).toBe(1);
    for (const message of [fromFile, fromStdin.stderr]) expect(message).toMatch(/^Error: [^\n]+\n?$/);
    expect(everything()).toEqual(before);
  });

  it("load of a truncated archive says that it ends too early", async () => {
    const file = scratch.join("truncated.tar");
    writeFileSync(file, readFileSync(archive).subarray(0, 5000));
    expect(await strata.fails("load", "-qi", file)).toMatch(/unexpected EOF|unexpected end/);
  });

  it("load beyond a limit names the option that raises it", async () => {
    const file = scratch.join("big.tar");
    writeArchive(file, { tags: ["big:1"], layers: [{ a: "x".repeat(50_000), b: "", "c/d/e/f/g": "" }] });
    for (const [option, limit] of [
      ["--max-bytes", "10kB"],
      ["--max-entries", "3"],
      ["--max-depth", "3"],
    ] as const)
      expect(await strata.fails("load", "-qi", file, option, limit)).toContain(option);
    await strata.ok("load", "-qi", file, "--max-bytes", "1MiB");
  });

  /** Every file of the store. */
  function everything(): string[] {
    return readdirSync(strata.root, { recursive: true }).map(String).sort();
  }
});

describe("containers", () => {
  it("keep their names to themselves", async () => {
    await strata.run(["load", "-qi", archive]);
    await strata.ok("create", "--name", "taken", "t1");
    expect(await strata.fails("create", "--name", "taken", "t1")).toMatch(/taken/);
    expect(await strata.fails("create", "--name", "a b", "t1")).toMatch(/Invalid container name \(a b\)/);
    expect(await strata.fails("umount", "taken")).toBe("Error: container taken is not mounted");
  });

  it("are handled one by one: a failure does not keep the others from it", async () => {
    await strata.run(["load", "-qi", archive]);
    await strata.ok("create", "--name", "one", "t1");
    await strata.ok("create", "--name", "two", "t1");
    expect(await strata.run(["rm", "one", "nosuch", "two"])).toEqual({
      code: 1,
      stdout: "one\ntwo\n",
      stderr: "Error: No such container: nosuch\n",
    });
    expect(readdirSync(join(strata.root, "containers"))).toHaveLength(1);
  });
});

describe("damage", () => {
  it("is found by check, and mended by load or by --repair", async () => {
    await strata.run(["load", "-qi", archive]);
    expect(await strata.ok("check")).toBe("No problems found");
    const blob = layerBlob();
    const bytes = readFileSync(blob);
    writeFileSync(blob, Buffer.from(bytes).fill("x", 512, 513));
    const found = await strata.run(["check"]);
    expect(found).toMatchObject({
      code: 1,
      stderr: "Run 'strata check --repair' to mend what can be mended\n",
    });
    expect(found.stdout).toContain(basename(blob));
    expect((await strata.run(["check", "--repair"])).stdout).toMatch(/load or pull t1:latest again/);
    await strata.ok("load", "-qi", archive);
    expect(await strata.ok("check")).toBe("No problems found");
    expect(readFileSync(blob).equals(bytes)).toBe(true);
  });

  it("of what is unpacked is mended from the blob", async () => {
    await strata.run(["load", "-qi", archive]);
    const snapshots = join(strata.root, "drivers", "vfs", "snapshots");
    const files = readdirSync(snapshots, { recursive: true })
      .map(String)
      .filter((path) => path.endsWith("/a"));
    for (const file of files) writeFileSync(join(snapshots, file), "damaged");
    expect((await strata.run(["check"])).stdout).toMatch(/\/a: size/);
    expect(await strata.ok("check", "--repair")).toBe("Nothing is left to repair");
    expect(await strata.ok("check")).toBe("No problems found");
  });

  function layerBlob(): string {
    const blobs = join(strata.root, "blobs", "sha256");
    const tar = readdirSync(blobs).find(
      (name) => readFileSync(join(blobs, name)).subarray(257, 262).toString() === "ustar",
    );
    return join(blobs, tar ?? "");
  }
});
