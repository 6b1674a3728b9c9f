import { execFileSync } from "node:child_process";
import { appendFileSync, readdirSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { changes, compareTrees, diff } from "@strata/layer";
import { expect, it } from "vitest";
import { edit, listChanges, makeLayouts, names, readDiff, settleTimes, useScratch } from "./layouts.ts";
import { asRoot, mountOverlay } from "./overlay-mount.ts";
import { withPeer } from "./peers.ts";
import { readTar } from "./read-tar.ts";

const scratch = useScratch();

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

it("a plain tree without a base is archived whole", async () => {
  const dir = scratch.directory("tree");
  edit(dir, "mkdir -p b/c; echo 1 > b/c/f; echo 2 > a; ln a b/link; ln -s a s; mkfifo p");
  const layout = { format: "plain", dir } as const;
  expect(names(readTar(await readDiff(layout)))).toEqual([
    "./",
    "a",
    "b/",
    "b/c/",
    "b/c/f",
    "b/link = a",
    "p",
    "s",
  ]);
  expect(await listChanges(layout)).toEqual([
    "A .",
    "A a",
    "A b",
    "A b/c",
    "A b/c/f",
    "A b/link",
    "A p",
    "A s",
  ]);
});

it("big-file: content of many chunks comes through, whatever their borders", async () => {
  const dir = scratch.directory("tree");
  const content = Buffer.alloc(5 * 2 ** 20 + 17);
  for (let at = 0; at + 4 <= content.length; at += 4) content.writeUInt32LE((at * 2654435761) % 2 ** 32, at);
  writeFileSync(join(dir, "big"), content);
  writeFileSync(join(dir, "small"), "s");
  const kept: Buffer[] = [];
  const copies: Buffer[] = [];
  for await (const chunk of diff({ format: "plain", dir })) {
    kept.push(chunk);
    copies.push(Buffer.from(chunk));
  }
  expect(Math.max(...kept.map((chunk) => chunk.length))).toBe(2 ** 20);
  expect(Buffer.concat(kept).equals(Buffer.concat(copies)), "a chunk is not touched again").toBe(true);
  const [, big, small] = readTar(Buffer.concat(kept));
  expect(big?.content.equals(content)).toBe(true);
  expect(small?.content.toString()).toBe("s");
});

it("a size of more than 8 GiB is a PAX record", async () => {
  const dir = scratch.directory("tree");
  writeFileSync(join(dir, "huge"), "");
  truncateSync(join(dir, "huge"), 2 ** 33);
  settleTimes(dir, { sec: 5, nsec: 0 });
  for await (const chunk of diff({ format: "plain", dir })) {
    // The root's header, the PAX header and its block of records.
    expect(chunk.toString("latin1", 1024, 1024 + 19)).toBe("19 size=8589934592\n");
    break;
  }
});

for (const [what, meddle] of [
  ["grows", (path: string) => appendFileSync(path, "more")],
  ["shrinks", (path: string) => truncateSync(path, 2 ** 20)],
  ["is rewritten in place", (path: string) => writeFileSync(path, "x", { flag: "r+" })],
] as const) {
  it(`a file that ${what} while it is read is an error, not a corrupt archive`, async () => {
    const dir = scratch.directory("tree");
    const path = join(dir, "file");
    writeFileSync(path, Buffer.alloc(4 * 2 ** 20, "a"));
    settleTimes(dir, { sec: 5, nsec: 0 });
    const before = openDescriptors();
    const read = async () => {
      for await (const _ of diff({ format: "plain", dir })) meddle(path);
    };
    await expect(read()).rejects.toMatchObject({
      code: "Busy",
      message: '"/file" changed while it was read; stop what writes to the tree, then try again',
    });
    expect(openDescriptors()).toBe(before);
  });
}

it("a path that is removed while the tree is read is an error that says so", async () => {
  const { plain } = {
    plain: { format: "plain", dir: scratch.directory("tree"), base: scratch.directory("base") } as const,
  };
  edit(plain.dir, "truncate -s 3M a; mkdir d; touch d/gone");
  const read = async () => {
    for await (const _ of diff(plain)) execFileSync("rm", ["-rf", join(plain.dir, "d")]);
  };
  await expect(read()).rejects.toMatchObject({
    code: "Busy",
    message: expect.stringContaining('"/d" changed while'),
  });
});

it("a tree that is not there is NotFound", async () => {
  const layout = { format: "plain", dir: join(scratch.path, "nowhere") } as const;
  await expect(readDiff(layout)).rejects.toMatchObject({
    code: "NotFound",
    message: expect.stringContaining("nowhere"),
  });
  await expect(listChanges(layout)).rejects.toMatchObject({ code: "NotFound" });
});

asRoot("a directory that is closed to an ordinary user is an error that says so", async () => {
  const dir = scratch.directory("tree");
  edit(dir, "mkdir -p d/closed; chmod 0 d/closed; chmod 755 ..");
  process.seteuid?.(65534);
  try {
    const error = {
      code: "Unsupported",
      message: expect.stringContaining('"/d/closed" is closed to this user'),
    };
    await expect(readDiff({ format: "plain", dir })).rejects.toMatchObject(error);
    await expect(listChanges({ format: "plain", dir })).rejects.toMatchObject(error);
  } finally {
    process.seteuid?.(0);
  }
});

it("an abort ends it with the signal's reason, and closes what was open", async () => {
  const dir = scratch.directory("tree");
  edit(dir, "mkdir -p a/b/c; truncate -s 4M a/b/c/f");
  const before = openDescriptors();
  const reason = new Error("enough");
  for (const use of [diff, changes]) {
    const controller = new AbortController();
    const read = async () => {
      for await (const _ of use({ format: "plain", dir }, { signal: controller.signal }))
        controller.abort(reason);
    };
    await expect(read()).rejects.toBe(reason);
    await expect(use({ format: "plain", dir }, { signal: AbortSignal.abort(reason) }).next()).rejects.toBe(
      reason,
    );
  }
  expect(openDescriptors()).toBe(before);
});

it("a reader that stops early leaves nothing open", async () => {
  const dir = scratch.directory("tree");
  edit(dir, "mkdir -p a/b/c; truncate -s 4M a/b/c/f");
  const before = openDescriptors();
  for await (const _ of diff({ format: "plain", dir })) break;
  expect(openDescriptors()).toBe(before);
});

it("the event loop gets its turns while large files are compared and read", async () => {
  const [base, dir] = [scratch.directory("base"), scratch.directory("tree")];
  for (const tree of [base, dir]) {
    edit(tree, "truncate -s 256M f");
    settleTimes(tree, { sec: 5, nsec: 0 });
  }
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  expect(await listChanges({ format: "plain", dir, base })).toEqual([]);
  const whileComparing = turns;
  for await (const _ of diff({ format: "plain", dir }));
  clearInterval(timer);
  expect(whileComparing).toBeGreaterThan(1);
  expect(turns).toBeGreaterThan(whileComparing + 1);
});

asRoot("changes-mounted-equals-unmounted", async () => {
  const { overlay } = makeLayouts(scratch, "mkdir d; touch d/a", "rm d/a; touch d/b");
  const expected = { changes: await listChanges(overlay), bytes: await readDiff(overlay) };
  const merged = scratch.directory("merged");
  const upper = { dir: overlay.dir, work: scratch.directory("work") };
  using _mount = mountOverlay({ lowers: overlay.lowers, upper }, merged);
  expect(readdirSync(join(merged, "d"))).toEqual(["b"]);
  expect(await listChanges(overlay)).toEqual(expected.changes);
  expect((await readDiff(overlay)).equals(expected.bytes)).toBe(true);
});

it("what the driver says was touched is compared, and nothing else is read", async () => {
  const [base, dir] = [scratch.directory("base"), scratch.directory("tree")];
  const script = "mkdir -p a/b c; touch a/b/f a/b/gone a/g c/h c/deleted; mkdir moved";
  for (const tree of [base, dir]) edit(tree, script);
  edit(dir, "echo 1 > a/b/f; rm a/b/gone; touch a/b/unnamed; echo 2 > a/g");
  edit(dir, "rm c/deleted; touch c/new; mkdir -p fresh/x; touch fresh/x/y");
  for (const tree of [base, dir]) settleTimes(tree, { sec: 5, nsec: 0 });
  const touched = async function* () {
    for (const path of ["./a//b/gone", "a/b/f", "c/", "fresh", "moved"]) yield Buffer.from(path);
  };
  expect(await listChanges({ format: "plain", dir, base, touched })).toEqual([
    ...["C .", "C a", "C a/b", "C a/b/f", "D a/b/gone"],
    ...["C c", "D c/deleted", "A c/new"],
    ...["A fresh", "A fresh/x", "A fresh/x/y"],
  ]);
});

it("what is read keeps its access time", async () => {
  const { plain } = makeLayouts(scratch, "mkdir d; echo old > d/f", "echo new > d/f; mkdir d/e");
  const paths = [plain.dir, ...["d", "d/e", "d/f"].map((name) => join(plain.dir, name))];
  for (const path of paths) utimesSync(path, 1, 2);
  await listChanges(plain);
  await readDiff(plain);
  expect(paths.map((path) => statSync(path).atimeMs)).toEqual(paths.map(() => 1000));
});

asRoot("what is mounted inside a tree is not part of it", async () => {
  const [base, dir] = [scratch.directory("base"), scratch.directory("tree")];
  for (const tree of [base, dir]) {
    edit(tree, "mkdir -p mounted/hidden");
    settleTimes(tree, { sec: 5, nsec: 0 });
  }
  const lower = scratch.directory("lower");
  edit(lower, "touch foreign");
  const mountPoint = join(dir, "mounted");
  using _mount = mountOverlay({ lowers: [lower, scratch.directory("empty")] }, mountPoint);
  expect(readdirSync(mountPoint)).toEqual(["foreign"]);
  expect(await listChanges({ format: "plain", dir, base })).toEqual([]);
  expect(names(readTar(await readDiff({ format: "plain", dir })))).toEqual(["./", "mounted/"]);
});

/** A tree with all that tools disagree on. */
function makeOddTree(): string {
  const dir = scratch.directory("tree");
  const script = `
    mkdir ${longName}; echo long > ${longName}/${longName}; ln ${longName}/${longName} l
    echo ü > ünïcode; printf x > $'new\\nline'; printf x > $'not-utf8-\\xff'; ln -s $'target-\\xff' s
    mkdir d; chmod 1700 d; touch -d @-1.5 old; touch -hd @1000.000000001 d s`;
  edit(dir, script);
  return dir;
}
const longName = "n".repeat(200);

withPeer("tar")("GNU tar reads the archive as it was meant", async () => {
  const dir = makeOddTree();
  const out = scratch.directory("out");
  const input = await readDiff({ format: "plain", dir });
  execFileSync("tar", ["-xp", "--warning=no-timestamp", "-C", out], { input });
  const left: string[] = [];
  for await (const { path, what } of compareTrees(dir, out)) left.push(`${path}: ${what}`);
  expect(left).toEqual([]);
});

withPeer("python3")("Python reads the archive as it was meant", async () => {
  const input = await readDiff({ format: "plain", dir: makeOddTree() });
  const script =
    "import sys,tarfile\nfor m in tarfile.open(fileobj=sys.stdin.buffer,mode='r|'): print(ascii((m.name,m.mtime,m.linkname)))";
  const members = execFileSync("python3", ["-c", script], { input }).toString();
  for (const member of [
    `('${longName}/${longName}', `,
    `('not-utf8-\\udcff', `,
    `('new\\nline', `,
    "('\\xfcn\\xefcode', ",
    "('old', -1.5, '')",
    "('s', 1000.000000001, 'target-\\udcff')",
  ]) {
    expect(members).toContain(member);
  }
});

it("clampMtime makes what is later as old as it says, leaves the rest, and must be a date", async () => {
  const dir = scratch.directory("tree");
  edit(dir, "touch -d @1000.75 later; touch -d @1000.25 same; touch -d @-1.5 old; touch -d @2000 .");
  const layout = { format: "plain", dir } as const;
  const clamped = async (clampMtime: Date) => {
    const chunks: Buffer[] = [];
    for await (const chunk of diff(layout, { clampMtime })) chunks.push(chunk);
    return readTar(Buffer.concat(chunks)).map(({ path, mtime }) => `${path} ${mtime}`);
  };
  expect(await clamped(new Date(1000_250))).toEqual([
    "./ 1000.25",
    "later 1000.25",
    "old -1.5",
    "same 1000.25",
  ]);
  expect(await clamped(new Date(-1500))).toEqual(["./ -1.5", "later -1.5", "old -1.5", "same -1.5"]);
  await expect(clamped(new Date(Number.NaN))).rejects.toThrow("not a valid date");
});
