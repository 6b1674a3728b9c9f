import { describe, expect, it } from "vitest";
import { block, dir, encode, entry, file, sign, symlink, tar } from "./build-layer.ts";
import { only, read } from "./read-archive.ts";

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
