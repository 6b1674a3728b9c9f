import type { Group } from "../../behaviour.ts";
import { aborts } from "./aborts.ts";
import { crashes } from "./crashes.ts";
import { failingDevice } from "./failing-device.ts";
import { noSpace } from "./no-space.ts";
import { powerCuts } from "./power-cuts.ts";
import { processes } from "./processes.ts";
import { races } from "./races.ts";
import { modelBased } from "./random-operations.ts";
import { soak } from "./soak.ts";

export const faults: Group = {
  name: "faults",
  title: "faults",
  behaviours: [
    ...noSpace,
    ...failingDevice,
    ...aborts,
    ...races,
    ...processes,
    ...modelBased,
    ...soak,
    ...crashes,
    ...powerCuts,
  ],
};
