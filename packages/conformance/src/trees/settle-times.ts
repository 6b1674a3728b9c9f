import {
  AT_FDCWD,
  close,
  DT_DIR,
  fstatx,
  futimens,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  readdir,
  type Stat,
  statx,
  utimensat,
} from "@strata/linux";

/**
 * Give everything in a tree that was changed just now a fixed modification time in the past. The same edit, done to two
 * trees one after the other, then gives equal trees; times that the edit set itself stay.
 * @param step - another one gives other times
 * @param nsec - the nanoseconds of all of them
 */
export function settleTimes(root: string, step: number, nsec = 123_456_789): void {
  const settled = { sec: 1_600_000_000 + step, nsec };
  const isRecent = ({ mtime }: Stat) => Math.abs(mtime.sec - Date.now() / 1000) < 3600;
  const walk = (fd: number) => {
    for (const { name, type } of readdir(fd)) {
      if (type === DT_DIR) {
        const inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        try {
          walk(inner);
        } finally {
          close(inner);
        }
      } else if (isRecent(statx(fd, name))) utimensat(fd, name, settled);
    }
    if (isRecent(fstatx(fd))) futimens(fd, settled);
  };
  const fd = openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY);
  try {
    walk(fd);
  } finally {
    close(fd);
  }
}
