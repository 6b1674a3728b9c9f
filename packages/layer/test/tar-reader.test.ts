import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "@strata/core";
import { compareTrees, defaultLimits, type LayerEntry, TarReader } from "@strata/layer";
import { describe, expect, it } from "vitest";
import { applyPlain, differences, useWorkers } from "./apply-layers.ts";
import { block, dir, encode, entry, file, pad, sign, symlink, tar } from "./build-layer.ts";
import { useScratch } from "./layouts.ts";
import { asRoot } from "./overlay-mount.ts";

const scratch = useScratch();
const workers = useWorkers();

interface ReadEntry extends LayerEntry {
  /** Of a file, holes as zeros; see {@link brief}. */
  readonly content: string;
}

interface Read {
  readonly entries: ReadEntry[];
  /** Whether there was an end mark. */
  readonly ended: boolean;
}

/** Read an archive in pieces of a size. */
function read(archive: Buffer, piece = archive.length): Read {
  const entries: ReadEntry[] = [];
  let content = Buffer.alloc(0);
  const reader = new TarReader(
    {
      entry: (found) => {
        expect(content.length, "each entry is ended before the next").toBe(0);
        entries.push({ ...found, content: "" });
        content = Buffer.alloc(found.size);
      },
      content: (bytes, position) => {
        bytes.copy(content, position);
      },
      entryEnd: () => {
        const last = entries.pop();
        if (last !== undefined) entries.push({ ...last, content: brief(content) });
        content = Buffer.alloc(0);
      },
    },
    defaultLimits,
  );
  for (let at = 0; at < archive.length; at += piece) reader.write(archive.subarray(at, at + piece));
  const ended = reader.end();
  return { entries, ended };
}

/** Small content as it is, `latin1`; of larger the digest. */
function brief(content: Buffer): string {
  return content.length <= 64 ? content.toString("latin1") : digestOf(content);
}

function only(archive: Buffer): ReadEntry {
  const { entries } = read(archive);
  expect(entries).toHaveLength(1);
  const [first] = entries;
  if (first === undefined) throw new Error("unreachable");
  return first;
}

const sourceTree = `
  umask 022
  mkdir -p d/e; echo hello > d/f; ln d/f d/hard; ln -s f d/soft; mkfifo d/p; chmod 4711 d/f
  mkdir -p "$(printf 'n%.0s' $(seq 90))"; echo x > "$(printf 'n%.0s' $(seq 90))/$(printf 'm%.0s' $(seq 60))"
  head -c 70000 /dev/urandom > random; : > empty; touch -d @1234567890 d d/f d/soft random
`;

const longTree = `
  mkdir -p "$(printf 'l%.0s' $(seq 200))"; cd "$(printf 'l%.0s' $(seq 200))"
  echo x > "$(printf 'k%.0s' $(seq 255))"; ln "$(printf 'k%.0s' $(seq 255))" z; ln -s "$(printf 't%.0s' $(seq 300))" s
  printf x > $'caf\\xe9'
`;

describe("what GNU tar writes", () => {
  const formats: [format: string, script: string, ...flags: string[]][] = [
    ["v7", "mkdir d; echo hello > d/f; ln d/f d/hard; ln -s f d/soft"],
    ["ustar", sourceTree],
    ["oldgnu", sourceTree + longTree],
    ["gnu", sourceTree + longTree],
    ["posix", sourceTree + longTree],
    ["posix", `${sourceTree}setfattr -n user.k -v v d/f; setfattr -n user.d -v w d`, "--xattrs"],
    ["gnu", sourceTree, "--incremental"],
    ["gnu", sourceTree, "--label=volume"],
    ["posix", sourceTree, "--pax-option=globexthdr.name=g,comment=global,path=/evil"],
  ];
  for (const [format, script, ...flags] of formats) {
    asRoot(`--format=${format} ${flags.join(" ")}`, async () => {
      const source = scratch.directory("source");
      execFileSync("bash", ["-ec", script], { cwd: source });
      const archive = execFileSync("tar", [`--format=${format}`, ...flags, "-cC", source, "."], {
        maxBuffer: 1e9,
      });
      const { tree } = await applyPlain(workers, scratch, archive);
      const whole = format === "posix" ? [] : (["mtime"] as const);
      const found = [];
      for await (const difference of compareTrees(source, tree, { ignore: whole }))
        found.push(difference.what);
      expect(found).toEqual([]);
    });
  }

  const sparse: [format: string, ...flags: string[]][] = [
    ["oldgnu"],
    ["gnu"],
    ["posix", "--sparse-version=0.0"],
    ["posix", "--sparse-version=0.1"],
    ["posix", "--sparse-version=1.0"],
  ];
  for (const [format, ...flags] of sparse) {
    it(`sparse files in --format=${format} ${flags.join(" ")}`, async () => {
      const source = scratch.directory("source");
      // Many runs, so that maps need more than one block; one file that is nothing but a hole; one ending in a hole.
      const script = `
        for i in $(seq 60); do printf "run $i" | dd of=runs bs=1 seek=$((i * 65536)) conv=notrunc status=none; done
        truncate -s 3M hole; printf x > tail; truncate -s 1M tail; echo dense > dense; touch -d @1000 *`;
      execFileSync("bash", ["-ec", script], { cwd: source });
      const command = [`--format=${format}`, ...flags, "-ScC", source, "."];
      const archive = execFileSync("tar", command, { maxBuffer: 1e9 });
      expect(archive.length).toBeLessThan(2_000_000);
      const { entries } = read(archive);
      expect(read(archive, 700)).toEqual({ entries, ended: true });
      for (const name of ["runs", "hole", "tail", "dense"]) {
        const found = entries.find(({ path }) => path.toString() === `./${name}`);
        expect(found?.content, name).toBe(brief(readFileSync(join(source, name))));
      }
      const { tree, contentBytes } = await applyPlain(workers, scratch, archive, { ignoreOwnership: true });
      expect((await differences(source, tree)).filter((line) => !line.startsWith(":"))).toEqual([]);
      expect(contentBytes).toBe(60 * 65536 + 6 + 3 * 2 ** 20 + 2 ** 20 + 6);
      const blocks = execFileSync("stat", ["-c", "%b", join(tree, "hole")]).toString();
      expect(Number(blocks), "the hole is one again").toBe(0);
    });
  }
});

describe("headers", () => {
  it("the result does not depend on how the stream is cut", () => {
    const archive = tar(
      dir("d"),
      file("d/f", "x".repeat(1500)),
      file(`d/${"n".repeat(200)}`, "y"),
      symlink("s", "t"),
    );
    const whole = read(archive);
    expect(whole.entries.map(({ path }) => path.length)).toEqual([1, 3, 202, 1]);
    for (const piece of [1, 7, 511, 512, 513, 4096]) expect(read(archive, piece)).toEqual(whole);
  });

  it("PAX values are bytes, and override the header", () => {
    const path = Buffer.from("caf\xe9 \n=x", "latin1");
    const pax = {
      path,
      uid: "3000000",
      gid: "4000000",
      mtime: "-1.5",
      "SCHILY.xattr.user.k": Buffer.from([0, 1, 0xff, 0x0a]),
      comment: "ignored",
    };
    const found = only(tar(file("in-the-header", "x", { pax })));
    expect(found).toMatchObject({
      path,
      uid: 3_000_000,
      gid: 4_000_000,
      mtime: { sec: -2, nsec: 500_000_000 },
    });
    expect([...found.xattrs]).toEqual([["user.k", Buffer.from([0, 1, 0xff, 0x0a])]]);
  });

  it("times have nanoseconds, and digits beyond are cut", () => {
    const time = (mtime: string) => only(tar(file("f", "", { pax: { mtime } }))).mtime;
    expect(time("5")).toEqual({ sec: 5, nsec: 0 });
    expect(time("5.000000001999")).toEqual({ sec: 5, nsec: 1 });
    expect(time("-0.25")).toEqual({ sec: -1, nsec: 750_000_000 });
    expect(time("-7")).toEqual({ sec: -7, nsec: 0 });
  });

  it("an empty PAX value takes the header's", () => {
    expect(only(tar(file("f", "", { pax: { path: "" } }))).path.toString()).toBe("f");
  });

  it("pax-size-desync: a PAX size counts for the file and for where the next header is", () => {
    const content = Buffer.concat([Buffer.alloc(512, "a"), block(file("smuggled"))]);
    const { entries } = read(
      tar(file("f", "", { content, size: 512, pax: { size: "1024" } }), file("g", "g")),
    );
    expect(entries.map(({ path, size }) => [path.toString(), size])).toEqual([
      ["f", 1024],
      ["g", 1],
    ]);
  });

  it("a size in the header of what has no content means nothing", () => {
    const archive = tar(dir("d", { size: 512 }), symlink("s", "t", { size: 100 }), file("f", "x"));
    expect(read(archive).entries.map(({ path, size }) => [path.toString(), size])).toEqual([
      ["d", 0],
      ["s", 0],
      ["f", 1],
    ]);
  });

  it("numbers in base 256, negative ones too", () => {
    const header = block(file("f"));
    header.set([0x80, 0, 0, 0, 0, 0x7f, 0xff, 0xff], 108);
    header.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe], 136);
    const found = only(Buffer.concat([sign(header), Buffer.alloc(1024)]));
    expect(found).toMatchObject({ uid: 0x7fffff, mtime: { sec: -2, nsec: 0 } });
  });

  it("ustar's prefix is part of the name; where GNU has times, it is none", () => {
    const header = block(file("name"));
    header.write("some/prefix", 345);
    const path = (archive: Buffer) => only(Buffer.concat([archive, Buffer.alloc(1024)])).path.toString();
    expect(path(sign(header))).toBe("some/prefix/name");
    header.fill(0, 345, 500);
    header.write("ustar  \0", 257);
    header.write("14000000000\0", 345);
    expect(path(sign(header))).toBe("name");
  });

  it("ustar/gnu-conflict: a GNU header with a prefix, as docker of old wrote it", () => {
    const header = block(file("name"));
    header.write("ustar  \0", 257);
    header.write("usr/share/some/where", 345);
    expect(only(Buffer.concat([sign(header), Buffer.alloc(1024)])).path.toString()).toBe(
      "usr/share/some/where/name",
    );
  });

  it("global-pax-header-ignored", () => {
    const global = entry("pax_global_header", "g", { content: Buffer.from("19 path=/everything\n") });
    expect(only(tar(global, file("f"))).path.toString()).toBe("f");
  });

  it("GNU long names and PAX together: the GNU one counts, as in Go", () => {
    const long = (type: string, name: string) =>
      encode(entry("././@LongLink", type, { content: Buffer.from(`${name}\0`) }));
    const archive = Buffer.concat([
      long("L", "long-name"),
      long("K", "long-target"),
      tar(symlink("s", "t", { pax: { path: "p" } })),
    ]);
    const found = only(archive);
    expect([found.path.toString(), found.linkTarget?.toString()]).toEqual(["long-name", "long-target"]);
  });

  it("a v7 file whose name ends with a slash is a directory", () => {
    expect(only(tar(entry("d/", "\0"))).type).toBe("dir");
    expect(only(tar(entry("f/", "0"))).type).toBe("file");
  });

  it("a checksum over signed bytes, as old writers made it", () => {
    const header = block(file(Buffer.from("\xe9", "latin1")));
    const unsigned = Number.parseInt(header.toString("latin1", 148, 154), 8);
    header.write((unsigned - 256).toString(8).padStart(6, "0"), 148);
    expect(only(Buffer.concat([header, Buffer.alloc(1024)])).path.length).toBe(1);
  });
});

describe("junk-and-truncated-streams", () => {
  const bad: [title: string, archive: Buffer, message: RegExp][] = [
    ["text", Buffer.from("not a tar archive at all, ".repeat(100)), /checksum/],
    ["a flipped bit in a header", flip(tar(file("f", "x")), 3), /checksum/],
    ["half a header", tar(file("f")).subarray(0, 300), /middle of an entry/],
    ["half a content", tar(file("f", "x".repeat(600))).subarray(0, 700), /middle of an entry/],
    [
      "an extended header without its entry",
      encode(file("f", "", { pax: { path: "x" } })).subarray(0, 1024),
      /middle of an entry/,
    ],
    [
      "an entry after a block of zeros",
      Buffer.concat([Buffer.alloc(512), tar(file("f"))]),
      /follows a block of zeros/,
    ],
    [
      "a negative size",
      sizeOf([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]),
      /negative size/,
    ],
    [
      "a size beyond 2^53",
      sizeOf([0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]),
      /the size of a header/,
    ],
    ["letters for a number", sizeOf([...Buffer.from("0000000000x\0")]), /the size of a header/],
    ["an unknown type", tar(entry("f", "Z")), /unknown type "Z"/],
    [
      "a PAX record without its newline",
      tar(entry("p", "x", { content: Buffer.from("9 path=ab") })),
      /PAX record/,
    ],
    [
      "a PAX record longer than its header",
      tar(entry("p", "x", { content: Buffer.from("99 path=ab\n") })),
      /PAX record/,
    ],
    ["a PAX record of no length", tar(entry("p", "x", { content: Buffer.from("path=ab\n") })), /PAX record/],
    ["a PAX size that is none", tar(file("f", "", { pax: { size: "-1" } })), /PAX record size/],
    ["a sparse map that overlaps", sparseMap("0,10,5,10", 20, 100), /overlap/],
    ["a sparse map beyond the file", sparseMap("0,10,95,10", 20, 100), /does not fit/],
    ["a sparse map of other bytes than are there", sparseMap("0,10", 20, 100), /does not fit/],
    ["a sparse map with half a pair", sparseMap("0,10,20", 10, 100), /odd number/],
    [
      "a sparse file without a size",
      tar(file("f", "x", { pax: { "GNU.sparse.map": "0,1" } })),
      /has no size/,
    ],
  ];
  for (const [title, archive, message] of bad) {
    it(title, () => {
      expect(() => read(archive)).toThrow(
        expect.objectContaining({ code: "InvalidArgument", message: expect.stringMatching(message) }),
      );
      expect(() => read(archive, 100)).toThrow(message);
    });
  }

  it("every cut inside of an archive is noticed, or leaves it without an end mark", () => {
    const archive = tar(dir("d"), file("d/f", "content"), file(`d/${"n".repeat(150)}`, "y"));
    const end = archive.length - 1024;
    for (let length = 0; length < end; length += 100) {
      const cut = archive.subarray(0, length);
      let ended: boolean | undefined;
      try {
        ended = read(cut).ended;
      } catch {
        continue;
      }
      expect(ended, `${length} bytes`).toBe(false);
    }
  });

  it("what follows the end mark is ignored", () => {
    const { entries, ended } = read(
      Buffer.concat([tar(file("f")), Buffer.from("trailing junk"), tar(file("g"))]),
    );
    expect([entries.length, ended]).toEqual([1, true]);
  });

  it("python's tarfile is understood in each of its formats", () => {
    const script = `
import tarfile, io, sys
out = io.BytesIO()
with tarfile.open(fileobj=out, mode="w", format=tarfile.${"FORMAT"}) as tar:
    info = tarfile.TarInfo("dir/" + "n" * 90); info.size = 3; info.mtime = 1.5; info.uid = 70000
    tar.addfile(info, io.BytesIO(b"abc"))
    info = tarfile.TarInfo("l"); info.type = tarfile.LNKTYPE; info.linkname = "dir/" + "n" * 90
    tar.addfile(info)
sys.stdout.buffer.write(out.getvalue())`;
    for (const format of ["USTAR_FORMAT", "GNU_FORMAT", "PAX_FORMAT"]) {
      const path = join(scratch.path, "script.py");
      writeFileSync(path, script.replace("FORMAT", format));
      const { entries } = read(execFileSync("python3", [path]));
      expect(entries.map(({ path, uid, content }) => [path.length, uid, content])).toEqual([
        [94, 70000, "abc"],
        [1, 0, ""],
      ]);
    }
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

/** An archive of a file whose size field is these bytes. */
function sizeOf(field: number[]): Buffer {
  const header = block(file("f"));
  header.set(field, 124);
  return Buffer.concat([sign(header), Buffer.alloc(1024)]);
}

function sparseMap(map: string, stored: number, size: number): Buffer {
  const pax = { "GNU.sparse.map": map, "GNU.sparse.size": `${size}`, "GNU.sparse.name": "f" };
  return Buffer.concat([encode(file("x", "y".repeat(stored), { pax })), pad(Buffer.alloc(1024))]);
}
