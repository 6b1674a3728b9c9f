import type { Group } from "../../behaviour.ts";
import { canonical } from "./canonical.ts";
import { diffs } from "./diffs.ts";
import { entries } from "./entries.ts";
import { listed } from "./listed.ts";
import { streams } from "./streams.ts";
import { whiteouts } from "./whiteouts.ts";
import { whole } from "./whole.ts";

export const changes: Group = {
  name: "changes",
  title: "changes, diff and apply",
  behaviours: [...listed, ...diffs, ...canonical, ...whiteouts, ...entries, ...streams, ...whole],
};
