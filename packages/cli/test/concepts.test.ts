import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { writeArchive, writeFiles } from "./support/archive.ts";
import { allDrivers, type Strata, useScratch, useStrata } from "./support/strata.ts";

/*
 * What the documents say that a Docker image is, seen through the command, on every driver. The numbers are those of
 * the list of concepts; C13, the storage engines, is in info.test.ts.
 */

const scratch = useScratch();

interface Inspected {
  readonly Id: string;
  readonly RootFS: { readonly Layers: readonly string[] };
  readonly Config: Readonly<Record<string, unknown>>;
  readonly Architecture: string;
  readonly Os: string;
  readonly GraphDriver: { readonly Name: string; readonly Data: Readonly<Record<string, string>> };
}

describe.each(allDrivers)("under %s", (driver) => {
  const store = useStrata(scratch, driver);
  let strata: Strata;
  let base: { id: string; diffIds: string[] };

  beforeAll(async () => {
    strata = store.strata;
    const archive = scratch.join(`six-${driver}.tar`);
    base = writeArchive(archive, {
      tags: ["six:1"],
      layers: [
        { "1": "one", "2": "two", "3": "three" },
        { "4": "four", "5": "five", "6": "six" },
        { "5": "seven", "etc/os-release": "ID=six\n" },
      ],
      config: { Env: ["A=1"], Cmd: ["sh"], User: "nobody", Volumes: { "/data": {} }, Labels: { k: "v" } },
    });
    await strata.ok("load", "-i", archive);
  });

  /** A container of `image`, mounted: its tree. */
  async function mounted(name: string, image = "six:1"): Promise<string> {
    await strata.ok("create", "--name", name, image);
    return await strata.ok("mount", name);
  }

  async function inspect(name: string): Promise<Inspected> {
    const [found]: Inspected[] = JSON.parse(await strata.ok("inspect", name));
    if (!found) throw new Error(`nothing was found of ${name}`);
    return found;
  }

  it("C1: several directories in one view", async () => {
    const tree = await mounted("c1");
    expect(readdirSync(tree).sort()).toEqual(["1", "2", "3", "4", "5", "6", "etc"]);
    expect(readFileSync(join(tree, "5"), "utf8")).toBe("seven");
    expect(readFileSync(join(tree, "4"), "utf8")).toBe("four");
  });

  it.runIf(process.geteuid?.() === 0)("C2: a root file system only: the kernel is the host's", async () => {
    const tree = await mounted("c2");
    copyProgram("/bin/uname", tree);
    copyProgram("/bin/cat", tree);
    expect(execFileSync("chroot", [tree, "/bin/uname", "-r"]).toString().trim()).toBe(release());
    expect(execFileSync("chroot", [tree, "/bin/cat", "/etc/os-release"]).toString()).toBe("ID=six\n");
  });

  it("C3: each change adds a layer", async () => {
    const ubuntu = join(scratch.join(), `ubuntu-${driver}`);
    writeFiles(ubuntu, { "etc/os-release": "ID=ubuntu\n" });
    await strata.ok("import", ubuntu, "ubuntu:c3");
    for (const [from, to, file] of [
      ["ubuntu:c3", "python:c3", "usr/bin/python3"],
      ["python:c3", "patched:c3", "etc/patch"],
    ] as const) {
      const tree = await mounted(to.replace(":", "-"), from);
      writeFiles(tree, { [file]: file });
      await strata.ok("commit", "-q", "-m", `add ${file}`, to.replace(":", "-"), to);
    }
    expect((await inspect("patched:c3")).RootFS.Layers).toHaveLength(3);
    const history = await strata.ok("history", "--format", "{{.Comment}}", "patched:c3");
    expect(history.split("\n").slice(0, 2)).toEqual(["add etc/patch", "add usr/bin/python3"]);
    expect(history.split("\n")).toHaveLength(3);
  });

  it("C4: an image is read-only: each container has a writable layer of its own", async () => {
    const before = await inspect("six:1");
    const first = await mounted("c4-first");
    writeFileSync(join(first, "1"), "changed");
    rmSync(join(first, "2"));
    const second = await mounted("c4-second");
    expect(readFileSync(join(second, "1"), "utf8")).toBe("one");
    expect(readdirSync(second)).toContain("2");
    expect(await inspect("six:1")).toEqual(before);
    expect(await strata.ok("check")).toBe("No problems found");
  });

  it("C5: where a container's bytes are; of layers, only the increment", async () => {
    const tree = await mounted("c5");
    writeFileSync(join(tree, "new"), "new");
    const { Name, Data } = (await inspect("c5")).GraphDriver;
    expect(Name).toBe(driver);
    if (Data["UpperDir"] === undefined) {
      // A driver of whole trees has no increment to show.
      expect(readdirSync(Data["Dir"] ?? "")).toContain("new");
      return;
    }
    expect(Object.keys(Data).sort()).toEqual(["LowerDir", "MergedDir", "UpperDir", "WorkDir"]);
    expect(readdirSync(Data["UpperDir"])).toEqual(["new"]);
    expect(Data["MergedDir"]).toBe(tree);
    const lowers = Data["LowerDir"]?.split(":") ?? [];
    expect(lowers.map((lower) => readdirSync(lower).sort())).toEqual([
      ["5", "etc"],
      ["4", "5", "6"],
      ["1", "2", "3"],
    ]);
    expect(statSync(Data["WorkDir"] ?? "").isDirectory()).toBe(true);
  });

  describe("C6: copy-on-write", () => {
    it("reads from the top down", async () => {
      const tree = await mounted("c6-read");
      expect(readFileSync(join(tree, "5"), "utf8")).toBe("seven");
      expect(await strata.ok("diff", "c6-read")).toBe("");
    });

    it("modifies a copy", async () => {
      const tree = await mounted("c6-modify");
      writeFileSync(join(tree, "3"), "THREE");
      expect(await strata.ok("diff", "c6-modify")).toBe("C /3");
      expect(readFileSync(join(await mounted("c6-other"), "3"), "utf8")).toBe("three");
    });

    it("deletes by a mark: the image never shrinks", async () => {
      const tree = await mounted("c6-delete");
      rmSync(join(tree, "6"));
      expect(await strata.ok("diff", "c6-delete")).toBe("D /6");
      await strata.ok("commit", "-q", "c6-delete", "smaller:c6");
      const sizes = async (image: string) => await strata.ok("images", "--format", "{{.Size}}", image);
      expect(await sizes("smaller:c6")).toBe(await sizes("six:1"));
      expect(readdirSync(await mounted("c6-deleted", "smaller:c6"))).not.toContain("6");
    });

    it("adds to the top layer only", async () => {
      const tree = await mounted("c6-add");
      writeFiles(tree, { "etc/new": "n" });
      expect(await strata.ok("diff", "c6-add")).toBe("C /etc\nA /etc/new");
      await strata.ok("commit", "-q", "c6-add", "bigger:c6");
      expect((await inspect("bigger:c6")).RootFS.Layers.slice(0, 3)).toEqual(base.diffIds);
    });
  });

  it("C7: containers share what they do not change, where the driver can", async () => {
    const [first, second] = [await mounted("c7-first"), await mounted("c7-second")];
    const inode = (tree: string) => statSync(join(tree, "1")).ino;
    const info = await strata.json<{ Capabilities: { sharesParent: { supported: boolean } } }>("info");
    expect(inode(first) === inode(second)).toBe(info.Capabilities.sharesParent.supported);
  });

  describe("C8: content addressing", () => {
    it("refuses an archive with a byte flipped", async () => {
      const archive = scratch.join(`flipped-${driver}.tar`);
      writeArchive(archive, { tags: ["flipped:1"], layers: [{ file: "a long enough text" }] });
      const bytes = readFileSync(archive);
      const at = bytes.indexOf("long enough");
      bytes[at] = "L".charCodeAt(0);
      writeFileSync(archive, bytes);
      expect(await strata.fails("load", "-i", archive)).toMatch(/sha256:[0-9a-f]{64}/);
      expect(await strata.ok("images", "-q", "flipped:1")).toBe("");
    });

    it("stores equal layers once", async () => {
      const archive = scratch.join(`sharing-${driver}.tar`);
      const before = await blobs();
      const { id } = writeArchive(archive, {
        tags: ["sharing:1"],
        layers: [{ "1": "one", "2": "two", "3": "three" }, { more: "more" }],
      });
      await strata.ok("load", "-i", archive);
      const added = (await blobs()).filter((blob) => !before.includes(blob));
      // A config, a manifest, a layer: the other one was there.
      expect(added).toHaveLength(3);
      expect(added).toContain(id.slice("sha256:".length));
    });
  });

  async function blobs(): Promise<string[]> {
    return readdirSync(join(strata.root, "blobs", "sha256"));
  }

  it("C9: the image ID is the digest of the config", async () => {
    const { Id } = await inspect("six:1");
    expect(Id).toBe(base.id);
    const config = readFileSync(join(strata.root, "blobs", "sha256", Id.slice("sha256:".length)));
    expect(`sha256:${createHash("sha256").update(config).digest("hex")}`).toBe(Id);
  });

  it("C10: architecture, default config and root file system, kept by commit", async () => {
    await mounted("c10");
    await strata.ok("commit", "-q", "-c", "ENV B=2", "c10", "next:c10");
    const config = {
      Env: ["A=1"],
      Cmd: ["sh"],
      User: "nobody",
      Volumes: { "/data": {} },
      Labels: { k: "v" },
    };
    expect(await inspect("six:1")).toMatchObject({ Architecture: "amd64", Os: "linux", Config: config });
    expect(await inspect("next:c10")).toMatchObject({
      Architecture: "amd64",
      Os: "linux",
      Config: { ...config, Env: ["A=1", "B=2"] },
    });
  });

  it("C11: registry, repository and tag, with defaults for what a name leaves out", async () => {
    const names = [
      { given: "debian", full: "docker.io/library/debian:latest", shown: "debian:latest" },
      { given: "debian:12", full: "docker.io/library/debian:12", shown: "debian:12" },
      { given: "docker.io/debian:slim", full: "docker.io/library/debian:slim", shown: "debian:slim" },
      { given: "me/tools", full: "docker.io/me/tools:latest", shown: "me/tools:latest" },
      { given: "reg:5000/me/tools:v2", full: "reg:5000/me/tools:v2", shown: "reg:5000/me/tools:v2" },
      { given: "ghcr.io/a/b/c:x", full: "ghcr.io/a/b/c:x", shown: "ghcr.io/a/b/c:x" },
      { given: "localhost/tools", full: "localhost/tools:latest", shown: "localhost/tools:latest" },
    ];
    for (const { given } of names) await strata.ok("tag", "six:1", given);
    const tags: string[] = JSON.parse(await strata.ok("inspect", "-f", "{{json .RepoTags}}", "six:1"));
    expect(tags).toEqual(expect.arrayContaining(names.map(({ shown }) => shown)));
    const ids = await strata.ok(
      "inspect",
      "-f",
      "{{.Id}}",
      ...names.flatMap(({ given, full }) => [given, full]),
    );
    expect(new Set(ids.split("\n"))).toEqual(new Set([base.id]));
    const listed = await strata.ok(
      "images",
      "--format",
      "{{.Repository}}:{{.Tag}}",
      "docker.io/library/debian:12",
    );
    expect(listed).toBe("debian:12");
  });

  it("C12: the sizes of layers add up to the image's", async () => {
    const steps = await strata.ok("history", "--human=false", "--format", "{{.Size}}", "six:1");
    expect(steps.split("\n")).toEqual(["12", "11", "11"]);
    const [image] = await strata.json<{ size: number }[]>("images", "six:1");
    expect(image?.size).toBe(34);
  });

  it("C15: a commit keeps files, not processes, and says what bloats the layer", async () => {
    const tree = await mounted("c15");
    writeFiles(tree, {
      "usr/bin/tool": "t".repeat(1000),
      "var/cache/apt/archives/tool.deb": "d".repeat(3000),
      "tmp/leftover": "l".repeat(2000),
    });
    const { code, stdout, stderr } = await strata.run(["commit", "c15", "bloated:c15"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(stderr).toMatch(/^WARNING: the new layer holds 6kB of files; running processes are not kept\n/);
    expect(stderr).toMatch(/WARNING: 5kB of it are caches.*: \/var\/cache\/apt\/ \(3kB\), \/tmp\/ \(2kB\);/);
    expect((await strata.run(["commit", "-q", "c15", "quiet:c15"])).stderr).toBe("");
  });
});

/** Copy a program and the libraries that it needs into a tree. */
function copyProgram(path: string, tree: string): void {
  const libraries = execFileSync("ldd", [path]).toString().match(/\/\S+/g) ?? [];
  for (const file of [path, ...libraries]) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    copyFileSync(file, join(tree, file));
  }
}
