import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { AT_FDCWD, mknodat, S_IFIFO, type Timespec, utimensat } from "@strata/linux";
import type { Behaviour } from "../../behaviour.ts";
import { Twin } from "../../trees/twin.ts";
import type { Trial } from "../../trial.ts";

const setTime = (path: string, time: Timespec) => utimensat(AT_FDCWD, path, time);

/** Entries of each type have these times, and in a child those one further on. */
async function timesAreKept(trial: Trial, times: readonly Timespec[]): Promise<void> {
  const twin = new Twin(trial);
  const types = ["file", "link", "fifo", "dir"];
  const give = (at: string, shift: number) => {
    times.forEach((_, n) => {
      const time = times[(n + shift) % times.length];
      if (time !== undefined) for (const type of types) setTime(`${at}/${type}-${n}`, time);
    });
  };
  await twin.layer((at) => {
    times.forEach((_, n) => {
      writeFileSync(`${at}/file-${n}`, "");
      symlinkSync("nowhere", `${at}/link-${n}`);
      mknodat(AT_FDCWD, `${at}/fifo-${n}`, S_IFIFO | 0o600, { major: 0, minor: 0 });
      mkdirSync(`${at}/dir-${n}`);
    });
    give(at, 0);
  });
  await twin.layer((at) => give(at, 1));
}

/** Modification times. */
export const times: readonly Behaviour[] = [
  {
    id: "ns-mtime",
    title: "modification times are kept to the nanosecond, for every type",
    origin: "N",
    async run(trial) {
      await timesAreKept(trial, [
        { sec: 1_500_000_000, nsec: 0 },
        { sec: 1_500_000_000, nsec: 1 },
        { sec: 1_500_000_000, nsec: 999_999_999 },
        { sec: 1_234_567_890, nsec: 123_456_789 },
      ]);
    },
  },
  {
    id: "pre-1970-mtime",
    title: "modification times before 1970 and at its very beginning are kept",
    origin: "N",
    async run(trial) {
      await timesAreKept(trial, [
        { sec: 0, nsec: 0 },
        { sec: 0, nsec: 1 },
        { sec: -1, nsec: 999_999_999 },
        { sec: -1_000_000_000, nsec: 5 },
        { sec: -(2 ** 31), nsec: 0 },
      ]);
    },
  },
  {
    id: "post-2038-mtime",
    title: "modification times after 2038 are kept",
    origin: "N",
    async run(trial) {
      await timesAreKept(trial, [
        { sec: 2 ** 31 - 1, nsec: 999_999_999 },
        { sec: 2 ** 31, nsec: 0 },
        { sec: 2 ** 32, nsec: 7 },
        { sec: 10_000_000_000, nsec: 123_456_789 },
      ]);
    },
  },
  {
    id: "mtime-kept-on-metadata-change",
    title: "a file of the parent keeps its modification time when only its mode, name or links change",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      const old = { sec: 1_400_000_000, nsec: 987_654_321 };
      await twin.layer((at) => {
        for (const name of ["mode", "name", "links"]) {
          writeFileSync(`${at}/${name}`, "below");
          setTime(`${at}/${name}`, old);
        }
      });
      await twin.layer((at) => {
        chmodSync(`${at}/mode`, 0o600);
        renameSync(`${at}/name`, `${at}/renamed`);
        linkSync(`${at}/links`, `${at}/linked`);
      });
    },
  },
  {
    id: "dir-mtime",
    title:
      "a directory of the parent keeps a time set after its entries changed, and what is around it its own",
    origin: "N",
    async run(trial) {
      const twin = new Twin(trial);
      const old = { sec: 1_400_000_000, nsec: 111 };
      const directories = ["dir/sub/deep", "dir/sub", "dir", "other"];
      await twin.layer((at) => {
        for (const name of directories) mkdirSync(`${at}/${name}`, { recursive: true });
        for (const name of directories) {
          writeFileSync(`${at}/${name}/file`, "below");
          setTime(`${at}/${name}/file`, old);
        }
        for (const name of [...directories, ""]) setTime(`${at}/${name}`, old);
      });
      // Appending leaves the times of all directories alone.
      await twin.layer((at) => appendFileSync(`${at}/dir/sub/deep/file`, "above"));
      await twin.layer((at) => {
        rmSync(`${at}/dir/sub/file`);
        setTime(`${at}/dir/sub`, { sec: 1_300_000_000, nsec: 222 });
      });
    },
  },
];
