import {
  AT_FDCWD,
  close,
  fsconfigCreate,
  fsconfigString,
  fsmount,
  fsopen,
  MNT_DETACH,
  type MountAttributes,
  mountSetattr,
  moveMount,
  O_DIRECTORY,
  O_PATH,
  openat,
  umount2,
} from "@strata/linux";

/** A file system that needs no device, mounted while this lives. Needs root. */
export class MountedFileSystem implements Disposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** @param path - an existing directory */
  static mount(
    type: "tmpfs" | "ramfs",
    path: string,
    options: Readonly<Record<string, string>> = {},
  ): MountedFileSystem {
    const context = fsopen(type);
    try {
      for (const [key, value] of Object.entries(options)) fsconfigString(context, key, value);
      fsconfigCreate(context);
      const mount = fsmount(context);
      try {
        moveMount(mount, AT_FDCWD, path);
      } finally {
        close(mount);
      }
    } finally {
      close(context);
    }
    return new MountedFileSystem(path);
  }

  setAttributes(attributes: MountAttributes): void {
    const fd = openat(AT_FDCWD, this.path, O_PATH | O_DIRECTORY);
    try {
      mountSetattr(fd, attributes);
    } finally {
      close(fd);
    }
  }

  [Symbol.dispose](): void {
    umount2(this.path, MNT_DETACH);
  }
}
