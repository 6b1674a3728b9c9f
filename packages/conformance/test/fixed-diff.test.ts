import { execFileSync } from "node:child_process";
import { digestOf } from "@strata/core";
import { expect, it } from "vitest";
import { fixedDiff, fixedDiffDigest } from "../src/groups/changes/fixed-change.ts";
import { tar } from "../src/tar/encode.ts";
import { listNames } from "../src/tar/list.ts";

// What is written down for diff-bytes-equal-across-drivers comes from no driver: here it is seen to be an archive that
// GNU tar reads as the change that it stands for.

const archive = tar(...fixedDiff);

it("the digest is that of the entries, written by the suite's own builder", () => {
  expect(digestOf(archive)).toBe(fixedDiffDigest);
});

it("GNU tar reads the entries", () => {
  const flags = [
    "--numeric-owner",
    "--full-time",
    "--quoting-style=literal",
    "--xattrs-include=*",
    "-tvvf",
    "-",
  ];
  const env = { ...process.env, TZ: "UTC", LC_ALL: "C" };
  const listing = execFileSync("tar", flags, { input: archive, env }).toString("latin1");
  // Of the time -1.5 it lists the whole second toward 1970, and the fraction after it; it unpacks it right.
  const long = `long-${"n".repeat(96)}`;
  const directory = Buffer.from("ünicode").toString("latin1");
  expect(listing.replaceAll(/ +/g, " ").trimEnd().split("\n")).toEqual([
    "drwxr-xr-x 0/0 0 2017-07-14 02:40:00 ./",
    "---------- 0/0 0 1970-01-01 00:00:00 .wh.deleted",
    "crw--w---- 0/0 1,3 1970-01-01 00:00:00 char",
    "drwxr-xr-x 0/0 0 2017-07-14 02:40:00 d/",
    "---------- 0/0 0 1970-01-01 00:00:00 d/.wh.gone",
    "-rwsr-xr-x 1000/2097152 4 1969-12-31 23:59:59.5 d/new",
    "prw-r--r-- 0/0 0 2001-09-09 01:46:40 fifo",
    "hrwsr-xr-x 1000/2097152 0 1969-12-31 23:59:59.5 hardlink link to d/new",
    `-rw------- 0/0 513 2001-09-09 01:46:40 ${long}`,
    "-rw-r----- 0/0 5 2001-09-09 01:46:40 moded",
    "lrwxrwxrwx 7/8 0 2020-09-13 12:26:40.000000001 symlink -> d/../kept",
    `drwxrwxrwt 0/0 0 2017-07-14 02:40:00 ${directory}/`,
    `-rwxr-xr-x* 0/0 0 2001-09-09 01:46:40 ${directory}/xattrs`,
    " x: 20 security.capability",
    " x: 4 user.key",
  ]);
});

it("the suite's own reader finds them too", () => {
  expect(listNames(archive)).toHaveLength(fixedDiff.length);
});
