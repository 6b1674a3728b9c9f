import type { Group } from "../../behaviour.ts";
import { noSpace } from "./no-space.ts";

export const faults: Group = { name: "faults", title: "faults", behaviours: [...noSpace] };
