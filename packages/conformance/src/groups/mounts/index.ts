import type { Group } from "../../behaviour.ts";
import { busy } from "./busy.ts";
import { counting } from "./counting.ts";
import { owners } from "./owners.ts";
import { paths } from "./paths.ts";
import { persistent } from "./persistent.ts";
import { processes } from "./processes.ts";
import { quota } from "./quota.ts";

export const mounts: Group = {
  name: "mounts",
  title: "mounts, ids and quota",
  behaviours: [...counting, ...busy, ...persistent, ...processes, ...paths, ...owners, ...quota],
};
