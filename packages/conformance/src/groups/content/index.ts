import type { Group } from "../../behaviour.ts";
import { edits } from "./edits.ts";

export const content: Group = { name: "content", title: "content", behaviours: [...edits] };
