import { AT_FDCWD, close, O_CREAT, O_DIRECTORY, O_RDONLY, O_WRONLY, openat, setxattrat } from "@strata/linux";

/** Do something in a directory, by its descriptor. */
export function withDirectory(path: string, action: (fd: number) => void): void {
  const fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  try {
    action(fd);
  } finally {
    close(fd);
  }
}

/** Make an empty file. */
export function touch(directory: number, name: Buffer): void {
  close(openat(directory, name, O_WRONLY | O_CREAT, 0o644));
}

/** Set an extended attribute of what is in a tree. */
export function setXattr(tree: string, name: string, attribute: string, value: string | Buffer): void {
  withDirectory(tree, (fd) => setxattrat(fd, name, attribute, Buffer.from(value)));
}
