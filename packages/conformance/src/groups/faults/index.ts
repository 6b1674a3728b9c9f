import type { Group } from "../../behaviour.ts";
import { aborts } from "./aborts.ts";
import { crashes } from "./crashes.ts";
import { noSpace } from "./no-space.ts";
import { processes } from "./processes.ts";
import { races } from "./races.ts";
import { soak } from "./soak.ts";

export const faults: Group = {
  name: "faults",
  title: "faults",
  behaviours: [...noSpace, ...aborts, ...races, ...processes, ...soak, ...crashes],
};
