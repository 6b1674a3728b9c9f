import type { Group } from "../../behaviour.ts";

export const confinement: Group = { name: "confinement", title: "confinement", behaviours: [] };
