import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Digest, digestOf } from "@strata/core";
import { LayerWorkers } from "@strata/layer";
import { describe, expect, it } from "vitest";
import { applyPlain, differences, store, useWorkers } from "./apply-layers.ts";
import { dir, file, gone, tar, xattr } from "./build-layer.ts";
import { describeTree } from "./describe-tree.ts";
import { useScratch } from "./layouts.ts";
import { asRoot } from "./overlay-mount.ts";

const scratch = useScratch();
const workers = useWorkers();

const archive = tar(dir("d"), file("d/f", "text"), file("g", "x".repeat(10_000)));
const otherDigest: Digest = `sha256:${"0".repeat(64)}`;
const own = process.geteuid?.() === 0 ? {} : { ignoreOwnership: true };

describe("what is told of an applied layer", () => {
  it("a plain archive is its own DiffID", async () => {
    const { tree, unresolved, ...applied } = await applyPlain(workers, scratch, archive, own);
    expect(applied).toEqual({
      blob: digestOf(archive),
      blobSize: archive.length,
      diffId: digestOf(archive),
      compression: "none",
      contentBytes: 10_004,
      entries: 3,
    });
    expect(unresolved).toEqual({ parents: [], whiteouts: [], links: [], opaqueRoot: false });
    expect(readFileSync(join(tree, "d/f"), "utf8")).toBe("text");
  });

  it("a compressed one has two digests, of its bytes and of what they stand for", async () => {
    const blob = gzipSync(archive);
    const applied = await applyPlain(workers, scratch, blob, own);
    expect(applied).toMatchObject({ blob: digestOf(blob), diffId: digestOf(archive), compression: "gzip" });
  });

  it("trailing-bytes-hashed: what follows the end mark, in the archive and behind the compressed data", async () => {
    const long = Buffer.concat([archive, Buffer.alloc(1_000_000, "trailing")]);
    expect(await applyPlain(workers, scratch, long, own)).toMatchObject({
      diffId: digestOf(long),
      entries: 3,
    });
    const blob = Buffer.concat([gzipSync(long), Buffer.alloc(5_000_000)]);
    expect(await applyPlain(workers, scratch, blob, own)).toMatchObject({
      blob: digestOf(blob),
      diffId: digestOf(long),
    });
  });

  it("a source is a range of a file", async () => {
    const path = store(
      scratch,
      Buffer.concat([Buffer.alloc(700, "before"), archive, Buffer.alloc(900, "after")]),
    );
    const layout = { format: "plain", dir: scratch.directory("tree") } as const;
    const source = { path, offset: 700, length: archive.length };
    const { blob } = await workers.apply({ source, layout, ...own });
    expect(blob).toBe(digestOf(archive));
    for (const bad of [
      { offset: 700, length: 1e9 },
      { offset: 1e9 },
      { offset: -1 },
      { offset: 0, length: -1 },
    ]) {
      const layout = { format: "plain", dir: scratch.directory("bad") } as const;
      const applied = workers.apply({ source: { path, ...bad }, layout, ...own });
      await expect(applied).rejects.toMatchObject({ code: "InvalidArgument" });
    }
  });

  it("keeps the bytes as they came, at the same time", async () => {
    const blob = gzipSync(Buffer.concat([tar(file("big", "x".repeat(3_000_000))), Buffer.alloc(100)]));
    const keepAs = join(scratch.path, "kept");
    await applyPlain(workers, scratch, blob, { ...own, keepAs });
    expect(readFileSync(keepAs).equals(blob)).toBe(true);
    expect(statSync(keepAs).mode & 0o777).toBe(0o600);
    const again = applyPlain(workers, scratch, blob, { ...own, keepAs });
    await expect(again).rejects.toMatchObject({ code: "AlreadyExists" });
  });
});

describe("digest-mismatch", () => {
  const blob = gzipSync(archive);
  const wrong = [
    ["blob", { blob: otherDigest }, digestOf(blob)],
    ["DiffID", { diffId: otherDigest }, digestOf(archive)],
    ["size, short", { blobSize: blob.length - 1 }, `${blob.length} bytes`],
    ["size, long", { blobSize: blob.length + 1 }, `${blob.length} bytes`],
  ] as const;
  for (const [title, expected, actual] of wrong) {
    it(title, async () => {
      const applied = applyPlain(workers, scratch, blob, { ...own, expected });
      await expect(applied).rejects.toMatchObject({
        code: "Corrupt",
        message: expect.stringContaining(actual),
      });
    });
  }

  it("all of it right", async () => {
    const expected = { blob: digestOf(blob), blobSize: blob.length, diffId: digestOf(archive) };
    await applyPlain(workers, scratch, blob, { ...own, expected });
  });

  it("a flipped byte is a wrong digest, whatever it broke on the way", async () => {
    for (const layer of [archive, blob]) {
      for (const at of [0, 20, 150, layer.length - 1]) {
        const flipped = Buffer.from(layer);
        flipped[at] = (flipped[at] ?? 0) ^ 1;
        const applied = applyPlain(workers, scratch, flipped, {
          ...own,
          expected: { blob: digestOf(layer) },
        });
        await expect(applied).rejects.toMatchObject({
          code: "Corrupt",
          message: expect.stringContaining(digestOf(flipped)),
        });
      }
    }
  });

  it("an archive without its end mark is taken only if a digest says that it is whole", async () => {
    const cut = archive.subarray(0, -1024);
    await expect(applyPlain(workers, scratch, cut, own)).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining("no end mark"),
    });
    await applyPlain(workers, scratch, cut, { ...own, expected: { diffId: digestOf(cut) } });
  });
});

describe("limits", () => {
  const zeros = gzipSync(tar(file("f", "\0".repeat(70_000_000))));
  const deep = tar(file(`${"d/".repeat(600)}f`));
  const pax = tar(file("f", "", { pax: { comment: "c".repeat(2_000_000) } }));
  const hole = tar(file("f", "x", { pax: { "GNU.sparse.map": "0,1", "GNU.sparse.size": `${2 ** 49}` } }));
  const map = tar(
    file("f", `1000000\n${"0\n".repeat(1_000_000)}`, {
      pax: { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1" },
    }),
  );
  const cases = [
    ["ratio-cap", zeros, {}, "maxRatio", "--max-ratio"],
    ["bytes-cap", archive, { maxBytes: 5000 }, "maxBytes", "--max-bytes"],
    ["bytes-cap, of files with holes", hole, {}, "maxBytes", "--max-bytes"],
    ["entry-cap", archive, { maxEntries: 2 }, "maxEntries", "--max-entries"],
    ["depth-cap", deep, {}, "maxDepth", "--max-depth"],
    ["oversize-pax-header", pax, {}, "maxHeaderBytes", "--max-header-bytes"],
    ["sparse-map-bomb", map, {}, "maxHeaderBytes", "--max-header-bytes"],
  ] as const;
  for (const [title, layer, limits, name, flag] of cases) {
    it(title, async () => {
      const message = expect.stringMatching(new RegExp(`\\(${name}\\).*${flag}`));
      const applied = applyPlain(workers, scratch, layer, { ...own, limits });
      await expect(applied).rejects.toMatchObject({ code: "InvalidArgument", message });
    });
  }

  it("can be raised", async () => {
    const { tree } = await applyPlain(workers, scratch, zeros, { ...own, limits: { maxRatio: 2000 } });
    const { size, blocks } = statSync(join(tree, "f"));
    expect(size).toBe(70_000_000);
    expect(blocks * 512, "zeros become holes").toBeLessThan(1_000_000);
    await applyPlain(workers, scratch, deep, { ...own, limits: { maxDepth: 1000 } });
    await applyPlain(workers, scratch, pax, { ...own, limits: { maxHeaderBytes: 1e7 } });
  });
});

describe("jobs", () => {
  const content = randomBytes(1_000_000).toString("latin1");
  const large = (pack = (bytes: Buffer) => bytes) => {
    const path = join(scratch.path, "large.tar");
    const entries = Array.from({ length: 64 }, (_, index) => file(`f${index}`, content));
    writeFileSync(path, pack(tar(...entries)));
    return { path };
  };
  const layout = () => ({ format: "plain", dir: scratch.directory(`tree-${Math.random()}`) }) as const;

  it("wait for a free thread, and all are done", async () => {
    const single = new LayerWorkers({ threads: 1 });
    const path = store(scratch, archive);
    const all = Array.from({ length: 20 }, () =>
      single.apply({ source: { path }, layout: layout(), ...own }),
    );
    expect((await Promise.all(all)).every(({ entries }) => entries === 3)).toBe(true);
    await single.close();
  });

  it("progress tells the bytes read, growing", async () => {
    const source = large();
    const seen: number[] = [];
    await workers.apply({ source, layout: layout(), onProgress: (bytes) => seen.push(bytes), ...own });
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1) ?? 0).toBeLessThanOrEqual(statSync(source.path).size);
  });

  it.each([
    ["plain", undefined],
    ["gzip", (bytes: Buffer) => gzipSync(bytes, { level: 1 })],
  ])("abort-in-mid-apply, %s: rejects with the reason, and nothing is written any more", async (_, pack) => {
    const controller = new AbortController();
    const tree = layout();
    const source = large(pack);
    const applied = workers.apply({
      source,
      layout: tree,
      signal: controller.signal,
      onProgress: () => controller.abort(new RangeError("enough")),
      ...own,
    });
    // On a very fast machine there is no progress to tell before the end.
    setTimeout(() => controller.abort(new RangeError("enough")), 20);
    await expect(applied).rejects.toThrow("enough");
    const left = describeTree(tree.dir);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(describeTree(tree.dir)).toEqual(left);
  });

  it("aborted before it began, a job does nothing, and later ones go on", async () => {
    const single = new LayerWorkers({ threads: 1 });
    const path = store(scratch, archive);
    const first = single.apply({ source: { path }, layout: layout(), ...own });
    const controller = new AbortController();
    const tree = layout();
    const second = single.apply({ source: { path }, layout: tree, signal: controller.signal, ...own });
    const third = single.apply({ source: { path }, layout: layout(), ...own });
    controller.abort(new RangeError("never mind"));
    await expect(second).rejects.toThrow("never mind");
    expect(describeTree(tree.dir)).toEqual([]);
    expect((await Promise.all([first, third])).map(({ entries }) => entries)).toEqual([3, 3]);
    const late = single.apply({ source: { path }, layout: layout(), signal: controller.signal, ...own });
    await expect(late).rejects.toThrow("never mind");
    await single.close();
  });

  it("an error keeps its code, its message and the system's reason across the thread", async () => {
    const missing = workers.apply({ source: { path: "/no/such/layer" }, layout: layout() });
    await expect(missing).rejects.toMatchObject({
      code: "NotFound",
      message: expect.stringContaining("/no/such/layer"),
      cause: expect.objectContaining({ code: "ENOENT", syscall: "open" }),
    });
  });

  it("close fails what is not done, waits for the threads, and can be repeated", async () => {
    const closing = new LayerWorkers({ threads: 1 });
    const source = large();
    const running = closing.apply({ source, layout: layout(), ...own });
    const waiting = closing.apply({ source, layout: layout(), ...own });
    const outcomes = Promise.allSettled([running, waiting]);
    await closing.close();
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: "Aborted" } });
    await closing.close();
    await expect(closing.apply({ source, layout: layout() })).rejects.toMatchObject({ code: "Aborted" });
  });

  it("threads that have nothing to do do not keep the process alive", () => {
    const path = store(scratch, archive);
    const program = `
      import { mkdtempSync } from "node:fs";
      import { LayerWorkers } from "@strata/layer";
      const layout = { format: "plain", dir: mkdtempSync(process.argv[1] + "/left-") };
      const source = { path: ${JSON.stringify(path)} };
      await new LayerWorkers().apply({ source, layout, ignoreOwnership: true });
      console.log("applied");`;
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", program, scratch.path], {
      cwd: import.meta.dirname,
      timeout: 20_000,
    });
    expect(output.toString()).toBe("applied\n");
  });

  it("refuses a pool of no threads", () => {
    expect(() => new LayerWorkers({ threads: 0 })).toThrow(TypeError);
  });
});

describe("modes and owners", () => {
  asRoot("the umask of the process neither matters nor changes", async () => {
    const before = process.umask(0o077);
    try {
      const { tree } = await applyPlain(workers, scratch, [
        dir("d", { mode: 0o777 }),
        file("d/f", "", { mode: 0o666 }),
      ]);
      expect(describeTree(tree)).toEqual(["d/ 777", 'd/f = "" 666']);
      expect(process.umask()).toBe(0o077);
    } finally {
      process.umask(before);
    }
  });

  asRoot("a default ACL of a directory below is not passed on, and stays", async () => {
    const base = scratch.directory("base");
    execFileSync(
      "bash",
      [
        "-ec",
        "mkdir d; setfattr -n system.posix_acl_default -v 0x0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000500ffffffff d; touch -d @5 d .",
      ],
      { cwd: base },
    );
    const tree = scratch.directory("tree");
    execFileSync("cp", ["-a", `${base}/.`, tree]);
    const path = store(scratch, [file("d/f", "", { mode: 0o640 }), dir("d/e"), gone("nothing")]);
    await workers.apply({ source: { path }, layout: { format: "plain", dir: tree, base } });
    expect(describeTree(tree)).toEqual(["d/ @5", "d/e/", 'd/f = "" 640']);
    const list = execFileSync("getfattr", ["-m-", "-d", "--absolute-names", "-R", tree]).toString();
    expect(list.match(/system\.posix_acl_\w+/g)).toEqual(["system.posix_acl_default"]);
    expect((await differences(base, tree)).map((line) => line.slice(0, 3))).toEqual(["d/e", "d/f"]);
  });

  it("without privileges, owners, devices and privileged attributes are left out, and only these", async () => {
    const program = `
      import { mkdirSync } from "node:fs";
      import { LayerWorkers } from "@strata/layer";
      const [path, dir, ignore] = process.argv.slice(1);
      const ignoreOwnership = ignore === "ignore";
      const workers = new LayerWorkers();
      const layout = { format: "plain", dir };
      try {
        await workers.apply({ source: { path }, layout, ignoreOwnership });
      } catch (error) {
        console.log(error.code, error.message);
      }
      await workers.close();`;
    const layer = [
      dir("closed", { mode: 0, uid: 5 }),
      file("closed/f", "x", { mode: 0, gid: 6 }),
      dir("closed/deep", { mode: 0o100 }),
      file("closed/deep/g", "y", xattr("trusted.t", "no")),
      file("own", "z", { mode: 0o4755, ...xattr("user.k", "v") }),
      { ...file("null"), type: "3", device: [1, 3] as const },
    ];
    const path = store(scratch, layer);
    execFileSync("chmod", ["755", scratch.path]);
    const run = (name: string, mode: string) => {
      const tree = scratch.directory(name);
      const user = process.geteuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
      if (process.geteuid?.() === 0) execFileSync("chown", ["65534:65534", tree]);
      const output = execFileSync(
        process.execPath,
        ["--input-type=module", "--eval", program, path, tree, mode],
        {
          cwd: import.meta.dirname,
          ...user,
        },
      );
      return { tree, output: output.toString() };
    };
    const { tree, output } = run("ignored", "ignore");
    expect(output).toBe("");
    if (process.geteuid?.() === 0) {
      expect(describeTree(tree)).toEqual([
        "closed/ 0 65534:65534",
        "closed/deep/ 100 65534:65534",
        'closed/deep/g = "y" 65534:65534',
        'closed/f = "x" 0 65534:65534',
        'own = "z" 4755 65534:65534',
      ]);
    }
    expect(run("kept", "keep").output).toMatch(/^Unsupported .*"\/closed\/f?/);
    execFileSync("chmod", ["-R", "u+rwx", scratch.path]);
    expect(existsSync(join(tree, "own"))).toBe(true);
  });
});
