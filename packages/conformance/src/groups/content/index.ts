import type { Group } from "../../behaviour.ts";
import { chains } from "./chains.ts";
import { deletions } from "./deletions.ts";
import { edits } from "./edits.ts";
import { hardlinks } from "./hardlinks.ts";
import { inodes } from "./inodes.ts";
import { isolation } from "./isolation.ts";
import { names } from "./names.ts";
import { permissions } from "./permissions.ts";
import { renames } from "./renames.ts";
import { sizes } from "./sizes.ts";
import { specialFiles } from "./special-files.ts";
import { symlinks } from "./symlinks.ts";
import { times } from "./times.ts";
import { xattrs } from "./xattrs.ts";

export const content: Group = {
  name: "content",
  title: "content",
  behaviours: [
    ...edits,
    ...deletions,
    ...renames,
    ...permissions,
    ...hardlinks,
    ...symlinks,
    ...specialFiles,
    ...inodes,
    ...xattrs,
    ...names,
    ...sizes,
    ...times,
    ...chains,
    ...isolation,
  ],
};
