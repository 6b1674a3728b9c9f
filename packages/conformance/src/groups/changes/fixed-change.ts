import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { Digest } from "@strata/core";
import { AT_FDCWD, mknodat, S_IFCHR, S_IFIFO, setxattrat } from "@strata/linux";
import { type BuiltEntry, char, dir, fifo, file, gone, link, symlink, xattrs } from "../../tar/entries.ts";
import { setTime } from "./scenario.ts";

/*
 * One change, of which all is given: names, contents, modes, owners, times. Its archive is written down twice: entry by
 * entry, and as the digest of its bytes. Every driver must give these bytes.
 */

/** 101 bytes: one more than a header takes. */
const longName = `long-${"n".repeat(96)}`;
const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");

/** What the change is made on. Times are set in {@link makeFixedBase}'s own order: what is inside first. */
export function makeFixedBase(at: string): void {
  makeDirectory(`${at}/d`, 0o755);
  makeDirectory(`${at}/deleted`, 0o755);
  for (const name of ["deleted/x", "d/gone", "d/kept", "moded"]) makeFile(`${at}/${name}`, name, 0o644);
  for (const name of ["deleted", "d", ""]) setTime(`${at}/${name}`, { sec: 1_000_000_000, nsec: 0 });
}

/** The change. */
export function makeFixedChange(at: string): void {
  rmSync(`${at}/deleted`, { recursive: true });
  rmSync(`${at}/d/gone`);
  mknodat(AT_FDCWD, `${at}/char`, S_IFCHR | 0o600, { major: 1, minor: 3 });
  chmodSync(`${at}/char`, 0o620);
  setTime(`${at}/char`, { sec: 0, nsec: 0 });
  makeFile(`${at}/d/new`, "new\n", 0o4755);
  chownSync(`${at}/d/new`, 1000, 2_097_152);
  chmodSync(`${at}/d/new`, 0o4755);
  setTime(`${at}/d/new`, { sec: -2, nsec: 500_000_000 });
  mknodat(AT_FDCWD, `${at}/fifo`, S_IFIFO | 0o600, { major: 0, minor: 0 });
  chmodSync(`${at}/fifo`, 0o644);
  setTime(`${at}/fifo`, { sec: 1_000_000_000, nsec: 0 });
  linkSync(`${at}/d/new`, `${at}/hardlink`);
  makeFile(`${at}/${longName}`, "x".repeat(513), 0o600);
  chmodSync(`${at}/moded`, 0o640);
  symlinkSync("d/../kept", `${at}/symlink`);
  lchownSync(`${at}/symlink`, 7, 8);
  setTime(`${at}/symlink`, { sec: 1_600_000_000, nsec: 1 });
  makeDirectory(`${at}/ünicode`, 0o1777);
  makeFile(`${at}/ünicode/xattrs`, "", 0o755);
  setxattrat(AT_FDCWD, `${at}/ünicode/xattrs`, "user.key", Buffer.from("a=b\n"));
  setxattrat(AT_FDCWD, `${at}/ünicode/xattrs`, "security.capability", capability);
  for (const name of ["ünicode", "d", ""]) setTime(`${at}/${name}`, { sec: 1_500_000_000, nsec: 0 });
  chmodSync(at, 0o755);
}

/** The entries of its diff. */
export const fixedDiff: readonly BuiltEntry[] = [
  dir("./", { mtime: 1_500_000_000 }),
  gone("deleted"),
  char("char", [1, 3], { mode: 0o620, mtime: 0 }),
  dir("d/", { mtime: 1_500_000_000 }),
  gone("d/gone"),
  file("d/new", "new\n", { mode: 0o4755, uid: 1000, mtime: 0, ...bigGroup() }),
  fifo("fifo"),
  link("hardlink", "d/new", { mode: 0o4755, uid: 1000, mtime: 0, ...bigGroup() }),
  file(longName, "x".repeat(513), { mode: 0o600 }),
  file("moded", "moded", { mode: 0o640 }),
  symlink("symlink", "d/../kept", {
    uid: 7,
    gid: 8,
    mtime: 1_600_000_000,
    pax: { mtime: "1600000000.000000001" },
  }),
  dir("ünicode/", { mode: 0o1777, mtime: 1_500_000_000 }),
  file("ünicode/xattrs", "", {
    mode: 0o755,
    pax: {
      ...xattrs({ "security.capability": capability, "user.key": "a=b\n" }).pax,
      path: "ünicode/xattrs",
    },
  }),
];

/** The SHA-256 of its diff. */
export const fixedDiffDigest: Digest =
  "sha256:021692086383dad30eabda7477f1d74e01edbbe147e4b00a390727a515937e13";

function bigGroup(): Pick<BuiltEntry, "pax"> {
  return { pax: { gid: "2097152", mtime: "-1.5" } };
}

function makeDirectory(path: string, mode: number): void {
  mkdirSync(path);
  chmodSync(path, mode);
}

function makeFile(path: string, content: string, mode: number): void {
  writeFileSync(path, content);
  chmodSync(path, mode);
  setTime(path, { sec: 1_000_000_000, nsec: 0 });
}
