import type { Group } from "../behaviour.ts";
import { changes } from "./changes/index.ts";
import { confinement } from "./confinement/index.ts";
import { content } from "./content/index.ts";
import { faults } from "./faults/index.ts";
import { lifecycle } from "./lifecycle/index.ts";
import { mounts } from "./mounts/index.ts";

/** The suite. */
export const groups: readonly Group[] = [lifecycle, content, changes, confinement, mounts, faults];
