import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { Behaviour } from "../../behaviour.ts";
import { Twin } from "../../trees/twin.ts";
import type { Trial } from "../../trial.ts";

const below = (at: string, name: string | Buffer) =>
  Buffer.concat([Buffer.from(`${at}/`), Buffer.from(name)]);

/**
 * Files of these names are made, every third of them is changed in a child, every third deleted, and made again in the
 * next; a directory and a symlink of each name in a directory beside them.
 */
async function namesAreKept(trial: Trial, names: readonly (string | Buffer)[]): Promise<void> {
  const twin = new Twin(trial);
  await twin.layer((at) => {
    mkdirSync(`${at}/dirs`);
    mkdirSync(`${at}/links`);
    for (const name of names) {
      writeFileSync(below(at, name), name);
      mkdirSync(below(`${at}/dirs`, name));
      writeFileSync(Buffer.concat([below(`${at}/dirs`, name), Buffer.from("/file")]), name);
      symlinkSync(Buffer.from(name), below(`${at}/links`, name));
    }
    const found = readdirSync(at, { encoding: "buffer" }).map((name) => name.toString("hex"));
    for (const name of names) {
      assert(found.includes(Buffer.from(name).toString("hex")), `not listed as it was made: "${name}"`);
    }
  });
  const third = (rest: number) => names.filter((_, n) => n % 3 === rest);
  await twin.layer((at) => {
    for (const name of third(0)) appendFileSync(below(at, name), " changed");
    for (const name of third(1)) rmSync(below(at, name));
    for (const name of third(2)) {
      renameSync(below(`${at}/links`, name), below(`${at}/dirs`, Buffer.from("renamed")));
      writeFileSync(Buffer.concat([below(`${at}/dirs`, name), Buffer.from("/new")]), "above");
    }
  });
  await twin.layer((at) => {
    for (const name of third(1)) {
      writeFileSync(below(at, name), "again");
      rmSync(below(`${at}/dirs`, name), { recursive: true });
    }
  });
}

/** Names are bytes: all but `/` and NUL. */
export const names: readonly Behaviour[] = [
  {
    id: "unicode-names",
    title: "names beyond ASCII are kept, and those that only look alike are two (NFC and NFD, cases)",
    origin: "U",
    async run(trial) {
      await namesAreKept(trial, [
        "caf\u00e9",
        "cafe\u0301",
        "\u212b",
        "\u00c5",
        "A\u030a",
        "straße",
        "STRASSE",
        "日本語",
        "😀👩‍👩‍👧",
        "\u202eright to left",
        "case",
        "Case",
      ]);
    },
  },
  {
    id: "non-UTF8-names",
    title: "names that are not UTF-8 are kept byte by byte, and not mixed up with one another",
    origin: "N",
    async run(trial) {
      await namesAreKept(trial, [
        Buffer.from([0xff]),
        Buffer.from([0xfe]),
        Buffer.from("caf\xe9", "latin1"),
        Buffer.from("cafe\u0301".normalize("NFC")).subarray(0, 4),
        Buffer.from([0xed, 0xa0, 0x80]),
        Buffer.from([0xc0, 0xaf]),
        Buffer.from("\ufffd"),
        Buffer.from(Array.from({ length: 128 }, (_, n) => 128 + n)),
      ]);
    },
  },
  {
    id: "255-byte-names",
    title: "names as long as a name can be are kept",
    origin: "N",
    async run(trial) {
      await namesAreKept(trial, [
        "x".repeat(255),
        "y".repeat(255),
        `${"é".repeat(127)}.`,
        Buffer.alloc(255, 0xe9),
        "x".repeat(254),
        "z".repeat(255),
      ]);
    },
  },
  {
    id: "odd-names",
    title: "names with newlines, spaces, quotes, colons, commas, backslashes and control characters are kept",
    origin: "N",
    async run(trial) {
      await namesAreKept(trial, [
        "new\nline",
        "\n",
        " ",
        " leading and trailing ",
        "-rf",
        "--",
        "...",
        "a:b,c\\d",
        "\\072",
        "quo'te\"s`",
        "$(touch x)",
        "*?[a]",
        "\x01\x1b[31m\x7f",
        "tab\t",
        "%s%n",
      ]);
    },
  },
  {
    id: "no-name-is-reserved",
    title: "names that drivers and archives use for themselves are names like others",
    origin: "N",
    async run(trial) {
      await namesAreKept(trial, [
        ".wh.file",
        ".wh..wh..opq",
        ".wh..wh.plnk",
        "diff",
        "work",
        "merged",
        "upper",
        "lower",
        "tree",
        "snapshot.json",
        "committed.json",
        "children",
        "mount-1",
        "lost+found",
        ".strata",
        "#1",
        "lock",
        "trash",
      ]);
    },
  },
];
