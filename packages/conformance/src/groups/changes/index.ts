import type { Group } from "../../behaviour.ts";

export const changes: Group = { name: "changes", title: "changes, diff and apply", behaviours: [] };
