import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compareTrees } from "@strata/layer";
import { describe, expect, it } from "vitest";
import { applyPlain, differences, useWorkers } from "./apply-layers.ts";
import { useScratch } from "./layouts.ts";
import { asRoot } from "./overlay-mount.ts";
import { brief, read } from "./read-archive.ts";

const scratch = useScratch();
const workers = useWorkers();

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
