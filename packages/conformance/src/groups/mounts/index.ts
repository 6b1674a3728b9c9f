import type { Group } from "../../behaviour.ts";

export const mounts: Group = { name: "mounts", title: "mounts, ids and quota", behaviours: [] };
