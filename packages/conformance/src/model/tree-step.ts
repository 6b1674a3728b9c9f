import type { Device, Timespec } from "@strata/linux";
import { type FileType, shown, shownPath, shownTime } from "./tree.ts";

/** One change of a tree. What it names is there, and may be changed so; symlinks are never followed. */
export type TreeStep = TreeChange & {
  /** The modification time of what is changed. */
  readonly now: Timespec;
  /** Put the times back afterwards, so that the change is seen in nothing but itself. */
  readonly quiet: boolean;
};

export type TreeChange =
  /** Make a file of whatever type; what is there is removed first. */
  | {
      readonly change: "make";
      readonly path: string;
      readonly type: FileType;
      readonly mode: number;
      readonly data: string;
      readonly rdev: Device;
    }
  /** Write to a file: all of it anew, in place, or at its end. */
  | { readonly change: "overwrite" | "append"; readonly path: string; readonly data: string }
  /** Make a file shorter, or longer with a hole. */
  | { readonly change: "truncate"; readonly path: string; readonly size: number }
  /** Give a file another name (`ln -f`), or copy it (`cp -a`); what is there is removed first. */
  | { readonly change: "link" | "copy"; readonly path: string; readonly to: string }
  /**
   * As mv(1): renamed, or, where the driver cannot rename a directory of its parent, copied. Of two names of one file,
   * the first goes.
   */
  | { readonly change: "rename"; readonly path: string; readonly to: string }
  /** A directory with all that is in it. */
  | { readonly change: "remove"; readonly path: string }
  | { readonly change: "chmod"; readonly path: string; readonly mode: number }
  | { readonly change: "chown"; readonly path: string; readonly uid: number; readonly gid: number }
  | { readonly change: "utimes"; readonly path: string; readonly mtime: Timespec }
  /** Without a value, the attribute is removed. */
  | { readonly change: "xattr"; readonly path: string; readonly name: string; readonly value?: string };

/** The paths whose directories get or lose a name by it. */
export function namesChanged(step: TreeChange): string[] {
  switch (step.change) {
    case "make":
    case "remove":
      return [step.path];
    case "link":
    case "copy":
      return [step.to];
    case "rename":
      return [step.path, step.to];
    default:
      return [];
  }
}

/** For people. */
export function describeTreeStep(step: TreeStep): string {
  const quietly = step.quiet ? ", times put back" : "";
  return `${describeChange(step)}${quietly}`;
}

function describeChange(step: TreeChange): string {
  const at = shownPath(step.path);
  switch (step.change) {
    case "make":
      return `make ${step.type} ${at} ${step.mode.toString(8)}${step.data === "" ? "" : ` ${shown(step.data)}`}`;
    case "overwrite":
      return `overwrite ${at} with ${shown(step.data)}`;
    case "append":
      return `append ${shown(step.data)} to ${at}`;
    case "truncate":
      return `truncate ${at} to ${step.size} bytes`;
    case "link":
    case "copy":
    case "rename":
      return `${step.change} ${at} to ${shownPath(step.to)}`;
    case "remove":
      return `remove ${at}`;
    case "chmod":
      return `chmod ${step.mode.toString(8)} ${at}`;
    case "chown":
      return `chown ${step.uid}:${step.gid} ${at}`;
    case "utimes":
      return `set the time of ${at} to ${shownTime(step.mtime)}`;
    case "xattr":
      return step.value === undefined
        ? `remove ${step.name} of ${at}`
        : `set ${step.name} of ${at} to ${shown(step.value)}`;
  }
}
