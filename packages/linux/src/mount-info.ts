import { readFileSync } from "node:fs";
import type { Device } from "./stat.ts";

/** A mount, as this process sees it. @see proc_pid_mountinfo(5) */
export interface MountEntry {
  readonly id: number;
  readonly parentId: number;
  readonly dev: Device;
  /** The directory of the file system that is the mount's root. */
  readonly root: Buffer;
  readonly mountPoint: Buffer;
  /** Options of the mount, e.g. `ro`. */
  readonly options: readonly string[];
  /** Propagation, e.g. `shared:1`. None for a private mount. */
  readonly optionalFields: readonly string[];
  readonly fstype: string;
  readonly source: Buffer;
  /** Options of the file system, with the kernel's own escapes. */
  readonly superOptions: string;
}

/** All mounts of this process's mount namespace. Cost: proportional to their number. */
export function mountInfo(): MountEntry[] {
  // Latin-1 keeps each byte as one character, so that names that are not UTF-8 survive splitting.
  const lines = readFileSync("/proc/self/mountinfo", "latin1").split("\n");
  return lines.filter((line) => line !== "").map(parse);
}

/**
 * The mount that an absolute path lies in: the innermost, and of two on one place the upper. The path is taken as it
 * is: no symlink is followed.
 */
export function mountHolding(path: string): MountEntry | undefined {
  let holding: MountEntry | undefined;
  let depth = -1;
  for (const entry of mountInfo()) {
    const directory = entry.mountPoint.toString().replace(/\/$/, "");
    if (path !== directory && !path.startsWith(`${directory}/`)) continue;
    if (directory.length >= depth) holding = entry;
    depth = Math.max(depth, directory.length);
  }
  return holding;
}

// 36 35 98:0 /mnt1 /mnt2 rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue
const form = /^(\d+) (\d+) (\d+):(\d+) (\S+) (\S+) (\S+) (.*?)- (\S+) (\S*) (\S+)$/;

function parse(line: string): MountEntry {
  const fields = form.exec(line);
  if (fields === null) throw new Error(`/proc/self/mountinfo has a line of unknown form: ${line}`);
  const [, id, parentId, major, minor, root = "", mountPoint = "", options = "", optional = "", fstype = ""] =
    fields;
  const [source = "", superOptions = ""] = fields.slice(10);
  return {
    id: Number(id),
    parentId: Number(parentId),
    dev: { major: Number(major), minor: Number(minor) },
    root: decodeOctal(root),
    mountPoint: decodeOctal(mountPoint),
    options: options.split(","),
    optionalFields: optional.split(" ").filter((field) => field !== ""),
    fstype,
    source: decodeOctal(source),
    superOptions,
  };
}

// The kernel writes space, tab, newline, backslash and # as three octal digits.
function decodeOctal(text: string): Buffer {
  const plain = text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(parseInt(digits, 8)),
  );
  return Buffer.from(plain, "latin1");
}
