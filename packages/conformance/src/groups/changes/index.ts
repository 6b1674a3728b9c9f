import type { Group } from "../../behaviour.ts";
import { diffs } from "./diffs.ts";
import { listed } from "./listed.ts";

export const changes: Group = {
  name: "changes",
  title: "changes, diff and apply",
  behaviours: [...listed, ...diffs],
};
