import type { Group } from "../../behaviour.ts";
import { committed } from "./committed.ts";

export const lifecycle: Group = { name: "lifecycle", title: "lifecycle", behaviours: [...committed] };
