import type { Group } from "../../behaviour.ts";

export const faults: Group = { name: "faults", title: "faults", behaviours: [] };
